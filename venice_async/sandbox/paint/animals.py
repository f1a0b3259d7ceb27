"""Animals, drawn."""

from __future__ import annotations

from .subject import Subject

__all__ = ["ANIMALS"]

_FOX = """
base blob 58,96 72,92 80,78 83,62 91,54 98,62 97,80 88,94 72,100
white blob 84,66 85,58 91,54 98,62 97,72 90,71
base blob 32,50 48,46 62,56 71,72 74,90 70,100 30,100 27,84 28,64
dark blob 57,74 67,72 74,86 72,100 54,100 53,86
white blob 30,56 40,54 49,57 48,70 43,82 39,86 34,82 30,70
base blob 29,78 37,80 39,94 37,100 28,100 28,90
base blob 42,80 50,78 50,92 50,100 41,100 40,92
deep blob 28,91 38,91 39,96 37,100 27,100
deep blob 41,91 50,91 50,97 49,100 40,100
base blob !17,4 24,10 35,22 30,30 !20,32 17,20
base blob !63,4 56,10 45,22 50,30 !60,32 63,20
deep blob !20,11 26,17 30,24 !23,28
deep blob !60,11 54,17 50,24 !57,28
base blob 21,28 29,21 40,19 51,21 59,28 62,36 !68,43 55,49 46,56 !40,61 34,56 25,49 !12,43 18,36
white blob !12,43 23,39 32,43 38,51 !40,61 33,56 25,50
white blob !68,43 57,39 48,43 42,51 !40,61 47,56 55,50
dark blob 38,22 42,22 43,34 40,38 37,34
black oval 40,58 3.4,2.6
black oval 30.5,38 2.5,3.1
black oval 49.5,38 2.5,3.1
white oval 31.3,37 0.9,1
white oval 50.3,37 0.9,1
"""


_CAT = """
base line 8 66,96 84,95 92,84 88,70 80,64
base blob 36,46 50,42 62,48 70,66 73,86 68,100 32,100 27,86 30,66
dark blob 60,76 70,76 74,90 70,100 56,100 55,88
dark blob 40,76 30,76 26,90 30,100 44,100 45,88
pale blob 43,52 50,50 57,52 58,70 50,82 42,70
base blob 42,76 49,78 49,94 48,100 39,100 40,90
base blob 58,76 51,78 51,94 52,100 61,100 60,90
pale oval 44,98 5,2.4
pale oval 56,98 5,2.4
base blob2 !27,6 34,10 44,20 38,30 !27,30 26,18
ef9d94 blob2 !30,12 35,16 38,22 !31,26
base blob 28,30 34,20 50,17 66,20 72,30 72,40 64,50 50,54 36,50 28,40
dark line 2 46,19 47,27
dark line 2 54,19 53,27
dark line 2 50,18 50,26
pale blob 40,42 50,40 60,42 60,48 50,53 40,48
black oval2 39,35 4.2,4.6
d8b23c oval2 39,35 3.4,4.2
black oval2 39,35 1.3,4
d97a72 poly 47.4,41 52.6,41 50,44
black line 0.8 50,44 50,46 46,48
black line 0.8 50,44 50,46 54,48
white line2 0.5 42,44 30,42 18,43
white line2 0.5 42,46 30,47 19,50
"""


_DOG = """
base line 7 70,90 84,82 92,66
base blob 38,48 54,44 66,56 74,76 76,92 70,100 34,100 30,82 32,62
dark blob 58,78 70,76 77,90 74,100 56,100
pale blob 34,56 46,54 50,66 46,84 40,86 34,72
base blob 32,80 40,82 41,100 30,100
base blob 43,82 51,80 52,100 42,100
base blob 24,30 32,18 46,16 58,22 62,34 58,46 46,56 36,57 27,50 23,40
dark blob 26,22 20,24 13,38 14,52 20,56 26,46 28,32
dark blob 58,22 65,26 71,40 69,54 63,57 58,46 57,34
pale blob 33,42 42,38 51,42 53,50 46,58 38,58 31,50
black oval 42,44 4.5,3.2
black oval 34,34 2.6,3
black oval 50,34 2.6,3
white oval 34.8,33 0.9,1
white oval 50.8,33 0.9,1
d9706c blob 40,53 45,53 45,60 42,62 40,60
cf3a35 line 4 31,57 42,62 55,56
"""


_WOLF = """
base blob 70,96 82,92 93,82 97,86 92,98 78,100
base blob 42,40 54,36 62,50 71,68 77,86 74,100 40,100 38,82 36,60
dark blob 60,72 70,72 78,88 75,100 56,100 56,86
pale blob 38,48 44,52 47,66 46,84 42,88 38,72
base blob 38,80 47,80 48,100 37,100
base blob !24,4 30,7 40,15 50,20 !58,14 57,26 60,40 54,54 42,56 38,46 38,34 30,22 !21,14
pale blob !22,13 31,19 39,29 42,42 38,46 37,36 29,24
dark blob !58,14 57,25 52,26 50,21
black oval 24,6 2.2,2
black line 1 23,12 30,16 34,18
black oval 41,20 1.6,1.5
"""


_RABBIT = """
white oval 80,84 9,9
base blob 34,62 46,54 62,56 76,68 80,84 74,98 36,100 28,92 28,76
dark blob 54,76 66,70 77,80 78,94 70,100 54,100 50,90
base blob 30,82 38,82 40,100 26,100
base blob 42,84 49,84 50,100 40,100
pale blob 32,64 40,66 42,78 36,86 31,80
base blob 30,34 24,18 26,4 33,2 38,14 40,34
base blob 44,34 46,14 54,3 60,6 58,20 52,36
e9a9a0 blob 32,30 28,18 29,9 33,8 36,18 37,32
e9a9a0 blob 47,32 49,18 54,9 56,11 54,22 50,33
base blob 26,42 34,32 46,31 54,38 56,50 48,60 36,62 27,55
pale blob 29,50 38,46 46,51 46,58 38,62 30,57
black oval 33,43 2.6,3.2
black oval 48,43 2.6,3.2
white oval 33.8,42 0.9,1.1
white oval 48.8,42 0.9,1.1
d97a72 poly 36,51 41,51 38.5,54
"""


_BIRD = """
6b4a35 line 3.4 0,90 30,93 62,89 100,94
6b4a35 line 2 70,90 84,80 94,78
6f8f4a blob 92,78 100,70 108,74 102,82
dark blob !74,66 92,80 108,94 102,98 84,88 66,76
e0963a line 1.6 46,82 46,91
e0963a line 1.6 55,82 55,91
base blob 24,34 32,22 46,20 57,30 68,48 76,64 70,78 54,85 38,82 28,70 24,52
second blob 26,44 34,44 44,56 52,74 50,84 38,82 28,70 24,56
dark blob 44,46 58,46 72,60 !84,76 68,78 52,70 44,58
deep line 1.4 52,58 62,66 74,74
deep line 1.4 50,62 58,70 68,76
e0963a poly 27,32 12,38 27,42
black oval 36,33 3,3
white oval 37,32 1,1
"""


_OWL = """
6b4a35 line 5 0,94 40,92 100,96
base blob2 !28,4 38,12 50,16 50,30 28,30 24,20
base blob 24,30 34,16 50,14 66,16 76,30 80,56 74,82 60,94 40,94 26,82 20,56
pale blob 36,50 50,46 64,50 66,72 58,88 42,88 34,72
dark blob2 23,40 30,46 33,66 30,82 23,74 19,56
dark line2 1.2 40,60 44,64 48,60
dark line2 1.2 42,70 46,74 50,70
pale oval2 38,34 13,13
f0b429 oval2 38,34 8.5,8.5
black oval2 38,34 4.8,4.8
white oval2 40,32 1.6,1.6
e0963a poly 46,40 54,40 50,49
e0963a line2 2 42,92 41,97
"""


_EAGLE = """
dark blob 74,40 88,22 112,10 140,6 !156,12 146,18 !152,22 140,26 !144,31 128,34 106,46 88,54
base blob 66,42 52,22 34,10 12,6 !0,14 10,19 !2,24 14,29 !8,34 26,38 46,48 62,54
deep blob !62,42 40,30 12,20 20,30 44,44
base blob 60,42 72,34 84,38 92,52 94,66 84,72 70,64 60,54
second blob 60,46 58,36 66,30 74,34 76,44 68,52
second poly 86,62 108,80 96,84 94,92 80,76
e8b33c blob 59,38 !50,46 57,47 62,44
black oval 64,38 1.6,1.6
"""


_FISH = """
dark blob !104,50 122,26 !134,20 130,40 126,50 130,62 !134,82 120,74
dark blob 44,26 58,6 78,4 !92,10 86,24
dark blob 58,74 66,92 80,94 78,76
base blob 10,50 22,32 44,20 68,22 90,36 108,48 108,54 90,66 68,78 44,80 22,68
pale blob 14,56 36,66 64,68 92,58 68,76 44,80 24,69
second blob 52,22 60,22 64,50 60,79 52,79 56,50
second blob 82,30 88,34 92,50 88,67 82,71 85,50
dark blob 56,50 70,44 78,52 70,62 58,58
dark line 1.4 38,30 44,42 44,58 38,70
white oval 26,44 5.6,5.6
black oval 25,44 3.4,3.4
white oval 24,42.6 1.1,1.1
black line 1.2 10,53 15,56 20,56
"""


_WHALE = """
base blob !120,44 134,24 !152,14 150,28 !160,34 146,44 134,58 120,70
base blob 4,62 10,44 30,34 58,34 90,42 118,50 136,44 130,64 104,80 66,88 30,86 10,78
pale blob 5,68 24,74 54,76 84,80 64,88 30,86 11,78
dark blob 52,72 66,76 78,92 72,98 58,88
dark line 1.2 10,72 26,80 48,82
black oval 28,62 2.2,2.2
"""


_HORSE = """
dark blob 110,42 122,46 128,64 122,86 118,66 112,56
deep poly 44,62 51,62 50,98 43,98
deep poly 92,60 100,58 104,78 101,98 95,98 97,80
base blob 42,44 58,40 82,41 104,38 114,46 113,60 104,68 80,66 60,70 46,70 38,60
base blob 36,66 46,66 44,80 45,98 37,98 37,80
base blob 98,54 113,52 110,68 113,80 110,98 103,98 105,82 98,68
base blob 20,14 28,8 38,14 50,26 60,42 56,60 42,62 36,46 32,34 26,36 16,40 10,38 10,32
dark blob !28,2 32,8 42,12 54,24 64,42 56,44 46,28 34,16 26,10
base poly 26,12 27,2 33,9
black oval 22,20 1.8,1.8
black oval 13,34 1.2,1.2
black poly 37,94 45,94 46,100 36,100
black poly 103,94 110,94 111,100 102,100
black poly 43,95 50,95 51,100 42,100
black poly 95,95 101,95 102,100 94,100
"""


_DEER = """
c9a77a line 2.4 34,18 30,6 22,-8
c9a77a line 2 31,8 22,4 14,-2
c9a77a line 1.8 27,0 32,-8
c9a77a line 2.4 38,18 46,6 52,-8
c9a77a line 2 44,8 52,6 58,0
c9a77a line 1.8 49,0 45,-8
deep poly 50,64 55,64 54,100 50,100
deep poly 90,60 95,60 98,80 96,100 92,100 93,80
base blob 44,46 60,42 84,42 100,44 104,54 98,64 78,66 58,68 46,66
white blob 100,44 107,46 106,56 101,56
base blob 43,62 50,62 48,80 48,100 44,100 43,80
base blob 92,56 103,54 100,68 104,82 102,100 98,100 98,82 92,68
base blob 28,22 34,16 42,18 48,30 56,44 54,58 44,60 40,44 36,36 28,36 20,34 20,30
dark blob 42,20 54,14 56,18 46,25
pale blob 42,46 48,50 49,60 44,60
black oval 31,24 1.6,1.8
black oval 21,31 2,1.7
pale oval 70,48 1.6,1.4
pale oval 78,47 1.6,1.4
pale oval 86,48 1.6,1.4
pale oval 74,53 1.4,1.2
pale oval 83,53 1.4,1.2
"""


_BEAR = """
deep blob 44,70 58,70 58,98 44,98
deep blob 96,66 108,66 110,98 98,98
base blob 20,50 28,36 42,30 62,24 88,28 112,36 122,54 118,74 96,78 66,80 44,80 28,70
base blob 32,66 50,68 52,92 50,100 34,100 32,86
base blob 104,60 122,60 122,84 122,100 106,100 104,84
dark oval 30,26 5,5
base oval 46,25 5.5,5.5
base blob 10,46 18,34 30,28 44,30 50,44 44,56 30,60 18,58 8,54
light blob 8,48 16,44 24,50 22,58 12,58 7,54
black oval 9,49 3.2,2.6
black oval 26,42 2,2.2
dark line 1.4 34,66 46,72 52,70
"""


_ELEPHANT = """
dark line 2 122,50 128,66 127,76
deep blob 58,74 70,74 70,98 58,98
deep blob 98,72 108,72 108,98 98,98
base blob 34,40 50,26 76,22 104,28 122,44 124,64 114,78 84,80 56,80 40,70
base blob 44,68 60,70 61,100 45,100
base blob 108,62 124,62 123,100 109,100
base blob 16,36 26,24 42,22 54,32 54,52 42,62 30,62 24,76 24,88 16,96 !8,94 14,88 15,76 14,58
dark blob 40,26 54,24 64,36 64,54 56,66 46,60 42,46
f3ead4 blob 25,62 20,72 !8,76 17,66 20,60
black oval 26,42 1.9,2.1
deep line 1 15,70 23,71
deep line 1 16,78 24,78
pale poly 45,97 61,97 61,100 45,100
pale poly 109,97 123,97 123,100 109,100
"""


_DRAGON = """
dark blob 76,48 84,22 104,4 !128,-4 122,12 !138,18 124,28 !134,40 114,44 96,58
second blob !84,46 90,26 106,10 !122,4 108,22 98,40
base blob 82,62 100,60 116,66 130,60 140,46 !150,36 148,52 138,68 120,78 100,78 86,76
base poly 150,36 160,30 154,44 160,50 148,48
base blob 46,52 62,46 82,50 96,62 94,78 78,86 60,82 48,72
base blob 34,18 44,20 52,32 54,46 62,56 56,70 46,66 40,52 38,40 32,34
second blob 44,52 52,56 58,72 74,84 60,82 48,72
dark blob 60,50 54,24 34,6 !12,0 20,14 !4,18 18,30 !8,42 30,44 46,52
second blob !56,48 48,28 34,14 !18,8 30,24 42,40
base blob 8,28 18,22 28,14 40,14 44,24 38,34 26,34 14,36
dark poly 34,15 46,2 41,18
dark poly 29,15 36,3 36,17
deep poly 52,34 58,34 53,40
deep poly 55,42 62,43 57,49
black oval 28,22 1.8,1.6
f0c040 oval 28.4,21.6 0.9,0.9
deep line 1 9,31 20,30 30,29
base blob 60,76 70,78 68,90 58,96 56,92 62,86
base blob 82,76 92,74 92,88 84,96 80,92 84,86
"""


_BUTTERFLY = """
base blob2 48,44 40,22 22,8 6,8 4,24 14,42 34,52 48,52
dark blob2 48,52 32,54 16,62 14,78 24,90 38,84 48,62
deep blob2 4,24 6,8 22,8 30,14 14,14 10,28 16,42
light oval2 24,28 8,8
second oval2 24,28 4.5,4.5
light oval2 28,70 6,6
second oval2 12,18 2,2
second oval2 19,82 2,2
black blob 47,34 53,34 53,60 51,76 49,76 47,60
black oval 50,32 3.4,3.6
black line2 1 49,30 42,18 36,14
"""


_SWAN = """
base blob 34,84 46,66 70,60 94,66 !116,58 110,78 92,92 60,95 42,93
dark blob 56,72 78,66 98,72 !112,70 100,84 78,88 62,84
base line 8 42,84 32,70 34,52 40,38 36,26 28,24
base oval 30,25 8,6.4
e0822c poly 24,23 10,29 24,30
black poly 26,20 26,29 22,27
black oval 30,23 1.4,1.4
"""


_PENGUIN = """
base blob 34,24 42,10 50,8 58,10 66,24 72,48 72,74 64,94 50,97 36,94 28,74 28,48
base blob2 28,44 20,56 17,74 21,78 28,64
white blob 40,32 50,38 60,32 66,54 64,80 50,93 36,80 34,54
white oval2 43,24 6,7
black oval2 44.5,24 2,2.4
e0962c poly 45,30 55,30 50,37
e0962c oval2 41,97 7,3
"""


_TURTLE = """
second blob 16,66 24,58 34,62 36,76 24,80 14,76
second blob 36,78 46,80 46,98 34,98
second blob 82,78 92,78 96,98 84,98
second poly 104,80 118,86 104,88
base blob 28,82 32,58 48,40 68,34 88,40 104,58 108,82 68,88
dark blob 52,56 68,50 84,56 86,72 68,78 50,72
dark poly 36,70 46,62 46,76 36,80
dark poly 100,70 90,62 90,76 100,80
deep line 2.6 28,83 68,88 108,83
black oval 22,66 1.9,1.9
"""


ANIMALS: tuple[Subject, ...] = (
    Subject("fox", "vixen kit", _FOX, "d4702a c9622a dd8136", "field forest snow hills"),
    Subject("cat", "kitten tabby feline kitty", _CAT, "8d8178 d08a45 4a4650", "room field city"),
    Subject("dog", "puppy hound retriever corgi pup", _DOG, "c98f50 8a5f3c d9b27c", "field hills sea"),
    Subject("wolf", "wolves coyote husky", _WOLF, "7d838c 6a6f7a", "snow mountains forest"),
    Subject("rabbit", "bunny hare lop", _RABBIT, "b99877 d8cbb8 98816b", "field forest hills"),
    Subject(
        "bird",
        "robin sparrow songbird finch parrot canary dove crow raven",
        _BIRD,
        "4f86b8 c4623c 5f9a6a",
        "forest hills field",
        second="ecd9b8",
        height=0.5,
        width=108,
    ),
    Subject("owl", "owls", _OWL, "8b6b4a a58b6c", "forest mountains", height=0.6),
    Subject(
        "eagle",
        "hawk falcon seagull gull",
        _EAGLE,
        "5d4632 6b5a4a",
        "mountains sea",
        second="f2ead8",
        height=0.34,
        width=156,
        stands="air",
    ),
    Subject(
        "fish",
        "goldfish koi shark trout carp",
        _FISH,
        "ee8a2a 3f8fd0 e3554a",
        "underwater",
        second="fbe9c8",
        height=0.36,
        width=134,
        stands="air",
    ),
    Subject(
        "whale", "orca dolphin", _WHALE, "3d5f85 4a6f8f", "underwater", height=0.4, width=160, stands="air"
    ),
    Subject(
        "horse",
        "pony stallion mare unicorn foal",
        _HORSE,
        "8a5632 6b4128 b98a5a",
        "field hills desert",
        height=0.55,
        width=130,
    ),
    Subject(
        "deer",
        "stag elk moose reindeer fawn",
        _DEER,
        "a9713f 92633c",
        "forest mountains snow",
        height=0.55,
        width=110,
    ),
    Subject(
        "bear", "panda grizzly cub", _BEAR, "6f4a30 5a4030", "forest mountains snow", height=0.45, width=128
    ),
    Subject("elephant", "mammoth", _ELEPHANT, "8d9097 7d7f88", "field desert", height=0.52, width=132),
    Subject(
        "dragon",
        "wyvern drake",
        _DRAGON,
        "3f8f5a b5342c 5a4a9c",
        "mountains desert hills",
        second="e7b25a",
        height=0.5,
        width=160,
        stands="air",
    ),
    Subject(
        "butterfly",
        "butterflies moth",
        _BUTTERFLY,
        "ee8a2a 4f7fd0 b45ac0",
        "field hills",
        second="fff1d0",
        height=0.5,
        stands="air",
    ),
    Subject("swan", "duck goose geese", _SWAN, "f3f1ea", "lake sea", height=0.36, width=120, stands="water"),
    Subject("penguin", "penguins", _PENGUIN, "2c3342", "snow sea", height=0.45),
    Subject(
        "turtle", "tortoise", _TURTLE, "5f8a4a 7b8246", "sea desert", second="a9b06a", height=0.34, width=122
    ),
)
