"""Buildings, and what carries people and goods, drawn."""

from __future__ import annotations

from .subject import Subject

__all__ = ["BUILDINGS"]

_LIGHTHOUSE = """
efe6d6 poly 39,24 61,24 66,92 34,92
base poly 38,36 62,36 63,48 37,48
base poly 36.4,60 63.6,60 64.6,72 35.4,72
base poly 34.8,82 65.2,82 66,92 34,92
3a3340 poly 50,26 52.6,26 52.6,31 50,31
3a3340 poly 50,52 53,52 53,57 50,57
4a3a36 blob 46,92 46,84 50,81 54,84 54,92
dark poly 34,20 66,20 64,25 36,25
3a3340 line 0.8 34,15 66,15
3a3340 line2 0.8 34.6,15 34.6,20
lamp poly 42,8 58,8 58,20 42,20
3a3340 line 0.9 47,8 47,20
3a3340 line 0.9 53,8 53,20
base blob !39,8 43,2 50,-2 57,2 !61,8
3a3340 line 1 50,-2 50,-7
efe6d6 poly 62,80 82,80 82,98 62,98
base poly 58,81 72,70 86,81
lamp poly 68,85 73,85 73,91 68,91
8a8078 poly 30,91 70,91 86,96 88,100 28,100
"""

_HOUSE = """
8a5a48 poly 84,22 92,22 92,44 84,44
second poly 16,50 104,50 104,100 16,100
deep poly 76,52 104,52 104,100 76,100
second poly 78,50 104,50 104,100 78,100
base poly 6,54 28,20 92,20 114,54
dark poly 6,54 8,51 112,51 114,54
second poly 30,54 48,32 66,54
base poly 24,57 48,26 72,57 66,57 48,34 30,57
lamp poly 43,44 53,44 53,54 43,54
6b4030 poly 40,70 56,70 56,100 40,100
e3b45a oval 53,86 1.2,1.2
lamp poly 22,66 34,66 34,80 22,80
lamp poly 64,66 76,66 76,80 64,80
lamp poly 84,66 96,66 96,80 84,80
7a5a48 line 1.2 28,66 28,80
7a5a48 line 1.2 70,66 70,80
7a5a48 line 1.2 90,66 90,80
7a5a48 line 1.2 22,73 34,73
7a5a48 line 1.2 64,73 76,73
7a5a48 line 1.2 84,73 96,73
4f7a45 blob2 8,100 10,90 18,87 26,90 32,88 38,94 38,100
"""

_CASTLE = """
dark poly 52,30 76,30 76,100 52,100
deep poly 49,30 64,4 79,30
base poly 16,56 112,56 112,100 16,100
base poly 16,51 24,51 24,56 32,56 32,51 40,51 40,56 48,56 48,51 56,51 56,58 16,58
base poly 72,56 72,51 80,51 80,56 88,56 88,51 96,51 96,56 104,56 104,51 112,51 112,58 72,58
base poly 6,40 30,40 30,100 6,100
base poly 98,40 122,40 122,100 98,100
dark poly 22,40 30,40 30,100 22,100
dark poly 114,40 122,40 122,100 114,100
second poly 2,41 18,14 34,41
second poly 94,41 110,14 126,41
base poly 54,46 74,46 74,66 54,66
second poly 50,47 64,24 78,47
lamp blob 16,54 16,49 18,47 20,49 20,54
lamp blob 108,54 108,49 110,47 112,49 112,54
lamp blob 62,58 62,52 64,50 66,52 66,58
lamp blob 62,24 62,20 64,18 66,20 66,24
lamp poly 36,66 39,66 39,73 36,73
lamp poly 89,66 92,66 92,73 89,73
4a352c blob !54,100 54,82 64,74 74,82 !74,100
dark line 1 58,80 58,100
dark line 1 64,76 64,100
dark line 1 70,80 70,100
3a3340 line 0.8 18,14 18,5
3a3340 line 0.8 110,14 110,5
d2453a poly 18,5 27,8 18,11
d2453a poly 110,5 119,8 110,11
"""

_TOWER = """
base poly 36,30 64,30 70,100 30,100
dark poly 52,30 64,30 70,100 54,100
dark poly 32,22 68,22 66,32 34,32
base poly 36,8 64,8 64,22 36,22
second poly 32,9 50,-12 68,9
lamp blob 46,20 46,14 50,11 54,14 54,20
lamp blob 46,50 46,44 50,41 54,44 54,50
lamp blob 46,70 46,64 50,61 54,64 54,70
4a352c blob 44,100 44,88 50,84 56,88 56,100
"""

_WINDMILL = """
second poly 38,40 62,40 70,100 30,100
deep poly 54,40 62,40 70,100 58,100
second poly 54,40 60,40 66,100 58,100
base blob !36,42 38,32 50,26 62,32 !64,42
lamp poly 46,54 54,54 54,62 46,62
6b4030 blob 44,100 44,86 50,82 56,86 56,100
6b4a35 line 1.6 50,36 22,10
6b4a35 line 1.6 50,36 76,8
6b4a35 line 1.6 50,36 24,64
6b4a35 line 1.6 50,36 78,62
f3ead6 poly 46,34 24,14 30,8 50,31
f3ead6 poly 53,31 72,8 79,13 55,35
f3ead6 poly 47,41 30,65 23,60 45,38
f3ead6 poly 54,40 75,66 81,59 56,37
6b4a35 oval 50,36 3,3
"""

_BOAT = """
6b4a35 line 1.6 56,4 56,82
f6efdf blob !54,6 46,30 34,54 !14,72 34,73 54,72
e3d6bf blob !54,6 52,30 46,56 !40,73 54,72
second blob !59,14 66,34 78,54 !94,70 76,72 59,71
base blob !4,80 30,84 70,84 !106,76 100,88 90,98 24,98 12,90
dark blob !8,88 40,92 80,91 !101,86 96,93 90,98 24,98 14,92
pale line 1.4 5,81 30,85 70,85 105,78
d2453a poly 56,4 70,8 56,12
"""

_SHIP = """
5d4332 line 1.8 44,0 44,78
5d4332 line 1.8 76,-6 76,78
5d4332 line 1.6 108,6 108,78
second blob 34,12 54,12 60,24 58,34 34,34 38,22
second blob 30,36 58,36 66,52 62,64 30,64 36,50
second blob 66,2 88,2 94,16 92,28 66,28 70,14
second blob 62,31 92,31 100,48 96,62 62,62 68,46
second blob 99,16 120,16 126,26 124,36 99,36 103,26
second blob 97,39 123,39 130,52 126,62 97,62 102,50
pale blob !42,4 30,24 !10,60 30,56 42,40
base blob !0,64 14,74 40,80 110,80 !138,66 134,84 124,98 30,98 16,86
dark blob 10,80 40,88 110,88 134,80 124,98 30,98
lamp oval 44,85 1.8,1.8
lamp oval 62,86 1.8,1.8
lamp oval 80,86 1.8,1.8
lamp oval 98,85 1.8,1.8
d2453a poly 76,-6 92,-3 76,1
"""

_CAR = """
1d1b20 blob 10,80 160,80 158,92 12,92
base blob !4,80 6,66 18,58 44,54 60,36 84,30 112,32 132,52 156,60 !166,68 166,82 150,86 20,86
dark blob !4,80 10,74 80,76 160,72 !166,74 166,82 150,86 20,86
a9cfe0 blob !52,54 64,40 82,36 !86,36 86,55
a9cfe0 blob !91,36 110,37 !126,54 91,55
dark line 1 88,56 88,82
light line 1.6 20,62 46,58 90,57 132,57 156,64
lamp blob 158,64 166,66 166,73 159,72
d2453a blob 4,66 10,64 10,71 4,72
pale poly 94,61 102,61 102,63 94,63
black oval 40,84 16,16
black oval 130,84 16,16
b9c1c9 oval 40,84 9.4,9.4
b9c1c9 oval 130,84 9.4,9.4
5a616b oval 40,84 4,4
5a616b oval 130,84 4,4
"""

_TRAIN = """
dark poly 0,38 44,38 44,84 0,84
base poly 4,46 40,46 40,80 4,80
dark poly -2,30 48,30 46,39 0,39
lamp poly 10,46 34,46 34,62 10,62
base blob !44,50 60,44 120,44 !138,48 138,80 44,80
dark poly 58,44 63,44 63,80 58,80
dark poly 98,44 103,44 103,80 98,80
e3ae2e blob 74,44 76,34 84,34 86,44
deep poly 110,18 128,18 122,30 122,45 114,45 114,30
grey oval 138,63 5,17
lamp oval 142,56 4,4
d2453a poly 0,80 150,80 158,92 0,92
black oval 22,88 12,12
black oval 56,90 10,10
black oval 84,90 10,10
black oval 112,90 10,10
b9c1c9 oval 22,88 7,7
b9c1c9 oval 56,90 5,5
b9c1c9 oval 84,90 5,5
b9c1c9 oval 112,90 5,5
grey line 2.4 22,88 56,91 112,91
"""

_PLANE = """
dark blob !78,44 104,14 !116,12 106,44
base blob !0,50 10,40 30,36 100,38 138,44 !152,18 160,18 156,50 130,58 60,62 14,60
pale blob 4,54 40,58 110,56 140,52 130,58 60,62 14,60
dark blob !70,52 92,88 !106,92 104,52
base blob !136,46 158,60 !164,62 156,46
a9cfe0 blob 10,45 18,40 28,40 26,47
a9cfe0 oval 46,46 2.2,2.6
a9cfe0 oval 58,46 2.2,2.6
a9cfe0 oval 70,46 2.2,2.6
a9cfe0 oval 112,46 2.2,2.6
a9cfe0 oval 124,47 2.2,2.6
second poly 150,22 159,20 158,34 150,34
"""

_ROCKET = """
f08a2a blob 40,88 44,102 50,118 56,102 60,88
ffd96a blob 44,88 46,98 50,107 54,98 56,88
base blob2 36,58 26,70 20,88 !20,96 38,84
efe9de blob !50,-6 60,8 66,28 66,54 60,84 40,84 34,54 34,28 40,8
c9c3bd blob !50,-6 60,8 66,28 66,54 60,84 53,84 58,54 58,28
base blob !50,-6 57,3 62,13 50,16 38,13 43,3
grey oval 50,34 9.6,9.6
lamp oval 50,34 7,7
base poly 37,68 63,68 62,74 38,74
deep poly 42,84 58,84 56,90 44,90
base blob 47,64 53,64 52,92 48,92
"""

_BALLOON = """
base blob 50,-2 72,4 84,24 80,44 66,62 56,74 44,74 34,62 20,44 16,24 28,4
second blob 50,-2 60,4 66,24 64,44 57,62 54,74 46,74 43,62 36,44 34,24 40,4
base blob 50,-2 54,10 56,28 54,52 51,74 49,74 46,52 44,28 46,10
dark blob 44,70 56,70 55,76 45,76
6b4a35 line2 0.7 45,75 43,88
8a5a34 blob !42,88 !58,88 56,100 44,100
6b4026 poly 41,87 59,87 59,90 41,90
lamp oval 50,80 1.8,3
"""

_SAUCER = """
dark oval 70,56 70,14
base oval 70,50 64,14
lamp oval 24,55 3,2.4
lamp oval 46,60 3,2.4
lamp oval 70,62 3,2.4
lamp oval 94,60 3,2.4
lamp oval 116,55 3,2.4
a9cfe0 blob !42,42 50,24 70,16 90,24 !98,42 70,47
pale blob 52,36 58,26 68,22 62,30
"""

_BRIDGE = """
dark line 3 0,62 200,62
base poly 42,0 50,0 52,100 40,100
base poly 150,0 158,0 160,100 148,100
base line 1.6 0,40 46,2 74,38 100,50 126,38 154,2 200,40
base line 0.7 22,24 22,62
base line 0.7 70,34 70,62
base line 0.7 85,46 85,62
base line 0.7 100,50 100,62
base line 0.7 115,46 115,62
base line 0.7 130,34 130,62
base line 0.7 178,24 178,62
base poly 0,60 200,60 200,66 0,66
"""

_TENT = """
base poly 66,24 130,100 66,100
dark poly 66,24 2,100 66,100
light poly 66,24 130,100 116,100
lamp blob !66,40 82,100 50,100
deep poly 66,36 50,100 42,100
5a3f2d line 1.6 62,16 68,28
5a3f2d line 1.6 70,16 64,28
"""


BUILDINGS: tuple[Subject, ...] = (
    Subject("lighthouse", "beacon", _LIGHTHOUSE, "c23a32 b5452f 2f5f92", "sea", height=0.62),
    Subject(
        "house",
        "cottage cabin home hut villa farm barn building",
        _HOUSE,
        "a8452f 7a5a48 5a6b7d",
        "field hills snow lake",
        second="efe3cb",
        height=0.44,
        width=120,
    ),
    Subject(
        "castle",
        "fortress palace citadel ruin",
        _CASTLE,
        "a39a92 b3a58f 8f93a3",
        "hills mountains lake",
        second="5a6d92",
        height=0.55,
        width=128,
    ),
    Subject(
        "tower",
        "church chapel temple pagoda cathedral",
        _TOWER,
        "b3a28a a08d84",
        "hills mountains",
        second="8a4a3c",
        height=0.66,
    ),
    Subject("windmill", "mill", _WINDMILL, "8a4a3a 5a6472", "field hills", second="efe3cb", height=0.58),
    Subject(
        "boat",
        "sailboat yacht sail canoe sailing gondola",
        _BOAT,
        "a8452f 2f5f92 35706b",
        "sea lake",
        second="e8a04a",
        height=0.5,
        width=110,
        stands="water",
    ),
    Subject(
        "ship",
        "galleon frigate vessel pirate",
        _SHIP,
        "7a4a2f 5a3f33",
        "sea",
        second="efe3cb",
        height=0.5,
        width=140,
        stands="water",
    ),
    Subject(
        "car",
        "automobile taxi truck vehicle convertible roadster",
        _CAR,
        "c23a32 2f6f9f e0a030 3f8a7a",
        "city desert field",
        height=0.26,
        width=170,
    ),
    Subject(
        "train",
        "locomotive railway tram",
        _TRAIN,
        "2f5f55 8a3a32 34486b",
        "field mountains",
        height=0.32,
        width=158,
    ),
    Subject(
        "plane",
        "airplane aeroplane aircraft jet",
        _PLANE,
        "e8e4dc d8dde2",
        "sky",
        second="c23a32",
        height=0.28,
        width=164,
        stands="air",
    ),
    Subject(
        "rocket",
        "spaceship starship missile spacecraft",
        _ROCKET,
        "cf3a32 2f6fb0 ee8a2a",
        "space moon desert",
        height=0.6,
        stands="air",
    ),
    Subject(
        "balloon",
        "airship zeppelin balloons",
        _BALLOON,
        "cf3a32 e0902a 2f7fa8",
        "sky hills",
        second="f6e6c0",
        height=0.52,
        stands="air",
    ),
    Subject(
        "ufo", "saucer alien", _SAUCER, "8f9aa8", "field desert space", height=0.3, width=140, stands="air"
    ),
    Subject(
        "bridge", "viaduct", _BRIDGE, "b5452f 7d8792", "sea lake", height=0.44, width=200, stands="water"
    ),
    Subject(
        "tent",
        "camp camping campfire yurt",
        _TENT,
        "d8862f cf5a3a 3f7f8a",
        "mountains forest lake",
        height=0.32,
        width=132,
    ),
)
