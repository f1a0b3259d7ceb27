"""People, and robots, drawn."""

from __future__ import annotations

from .subject import Subject

__all__ = ["PEOPLE"]

_WANDERER = """
2b2a33 blob 40,76 49,76 48,98 38,98
2b2a33 blob 51,76 60,76 63,98 53,98
black poly 36,96 48,96 48,100 35,100
black poly 53,96 64,96 65,100 53,100
base blob 38,32 50,28 62,32 68,50 70,72 66,84 50,82 34,84 30,72 32,50
dark blob 50,30 62,33 67,52 69,72 66,83 56,82
dark blob 33,40 38,38 38,60 33,68 28,62
dark blob 67,40 62,38 62,60 67,68 72,62
e3b491 oval2 31,65 3,3
second blob 42,27 50,25 58,27 60,33 50,36 40,33
e3b491 oval 50,19 7.5,8.6
4b3325 blob 42,19 42,11 50,8 58,11 58,20 54,14 46,14
second blob 52,32 58,34 60,50 54,52
"""


_WOMAN = """
e3b491 blob 46,88 49,88 49,100 44,100
e3b491 blob 51,88 54,88 56,100 51,100
4b2e22 blob 40,12 50,4 60,12 62,26 64,42 56,44 44,44 36,42 38,26
e3b491 blob 47,24 53,24 54,32 46,32
e3b491 line2 4.4 41,36 34,48 38,60
base blob 40,32 50,34 60,32 60,46 56,52 62,68 72,90 50,95 28,90 38,68 44,52 40,46
dark blob 52,52 57,54 63,70 72,90 60,93 56,72
light blob 44,54 46,60 42,80 38,90 32,90 39,70
e3b491 oval 50,18 7.6,9
4b2e22 blob 42,18 42,9 50,6 58,9 58,17 52,11
second line 2.4 43,51 50,53 57,51
"""


_KNIGHT = """
5d6570 blob 40,66 49,66 48,96 39,96
5d6570 blob 51,66 60,66 61,96 52,96
3c434d poly 36,94 48,94 48,100 34,100
3c434d poly 52,94 64,94 66,100 52,100
base blob 62,34 72,48 80,78 78,92 60,80 50,40
aeb7c1 blob 36,32 50,28 64,32 66,46 60,68 50,72 40,68 34,46
7d8792 blob 50,30 64,33 65,48 60,68 51,71
base blob 42,52 50,50 58,52 62,78 50,82 38,78
aeb7c1 oval2 35,36 7,6.4
7d8792 line2 7 34,40 30,54 34,64
aeb7c1 blob 40,12 50,7 60,12 61,24 56,31 44,31 39,24
2a2e36 poly 42,18 58,18 58,21.5 42,21.5
2a2e36 poly 49,21 51,21 51,29 49,29
base blob 50,8 52,-6 64,-8 70,0 62,2 56,8
d8dde2 poly 28,4 31,4 31,66 28,66
8a6a3a poly 22,60 37,60 37,63 22,63
8a6a3a poly 28,62 31,62 31,72 28,72
"""


_ASTRONAUT = """
dark blob 30,36 70,36 72,66 28,66
base blob 38,66 49,66 49,96 36,96
base blob 51,66 62,66 64,96 51,96
grey blob 34,92 49,92 49,100 32,100
grey blob 51,92 66,92 68,100 51,100
base line2 10 38,42 28,54 26,66
grey oval2 26,67 5,5
base blob 36,38 50,35 64,38 66,56 62,70 38,70 34,56
second poly 42,48 58,48 58,58 42,58
cf3a35 oval 46,53 1.6,1.6
3d8fe0 oval 52,53 1.6,1.6
base oval 50,21 18,17.5
1d2a4a blob 36,20 42,11 58,11 64,20 62,30 50,33 38,30
7fb2e0 blob 39,19 44,13 50,12 46,20 41,26
"""


_ROBOT = """
grey line 2 50,14 50,4
lamp oval 50,4 3,3
dark poly 40,78 48,78 48,94 40,94
dark poly 52,78 60,78 60,94 52,94
deep blob 34,93 49,93 49,100 33,100
deep blob 51,93 66,93 67,100 51,100
dark line2 6 33,48 22,58 22,70
grey oval2 22,72 5.4,5.4
base blob !30,44 50,42 !70,44 72,60 !68,80 50,82 !32,80 28,60
light poly 38,50 62,50 62,66 38,66
deep poly 40,52 60,52 60,64 40,64
lamp oval 45,58 2.4,2.4
5fd0c0 oval 52,58 2,2
grey oval 57,58 1.6,1.6
dark poly 44,36 56,36 56,44 44,44
base blob !32,16 50,13 !68,16 70,28 !67,38 50,40 !33,38 30,28
1d2733 blob 36,21 64,21 65,32 35,32
lamp oval2 43,26.5 4,4
grey oval2 30,27 3,5
"""


_PORTRAIT = """
hair blob 26,30 34,8 50,2 66,8 74,30 76,58 70,78 30,78 24,58
dbaa86 blob 42,50 58,50 60,72 68,78 50,88 32,78 40,72
base blob 6,100 12,84 32,76 50,90 68,76 88,84 94,100
dark blob 50,90 68,76 88,84 94,100 56,100
second line 2.4 32,76 50,90 68,76
e6bb98 blob 34,32 38,18 50,14 62,18 66,32 64,50 56,62 50,65 44,62 36,50
d89f80 blob 55,18 62,22 66,34 63,50 56,61 58,46
hair blob 32,40 32,20 44,10 58,10 68,22 68,40 62,26 50,22 42,26 36,30
hair line2 1.6 38,34 42,32 47,34
white oval2 43,39 3.6,2.2
4a3428 oval2 43,39 1.9,2.1
c98a6c line 1 50,42 48,49 51,50
b4504a blob 44,56 48,54.6 50,55.4 52,54.6 56,56 50,59
""".replace("hair", "3f2a22")


PEOPLE: tuple[Subject, ...] = (
    Subject(
        "person",
        "man boy people wanderer traveler traveller hiker figure child explorer human guy",
        _WANDERER,
        "7a3b34 35506f 4f6144",
        "mountains hills field sea",
        second="c9503c",
        height=0.42,
    ),
    Subject(
        "woman",
        "girl lady dancer princess queen bride witch",
        _WOMAN,
        "b93a4c 35708f d8b25a",
        "field hills sea",
        second="f3dfb4",
        height=0.48,
    ),
    Subject(
        "knight",
        "warrior soldier samurai king hero",
        _KNIGHT,
        "a8302f 2f5699",
        "hills mountains field",
        height=0.52,
    ),
    Subject(
        "astronaut", "spaceman cosmonaut", _ASTRONAUT, "e9ebee", "moon space", second="b9c1c9", height=0.55
    ),
    Subject(
        "robot", "android cyborg droid mech", _ROBOT, "5f93a8 d0843f 8a94a0", "city desert room", height=0.58
    ),
    Subject(
        "portrait",
        "face headshot selfie model",
        _PORTRAIT,
        "9c3f46 34617f 4f6b4a",
        "room hills",
        second="f0dcc0",
        height=0.82,
    ),
)
