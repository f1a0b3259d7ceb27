"""Plants, fruit and other things, drawn."""

from __future__ import annotations

from .subject import Subject

__all__ = ["THINGS"]

_TREE = """
5a3f2d blob 44,100 47,80 46,58 54,58 54,80 58,100
5a3f2d line 3 50,68 38,54 34,48
5a3f2d line 3 51,66 62,54 66,46
dark blob 16,46 10,34 20,24 24,10 40,4 56,0 72,8 80,22 90,32 86,48 74,58 56,62 36,62 24,58
base blob 18,40 14,30 24,22 28,10 42,4 54,2 68,10 72,24 80,32 74,44 60,50 40,52 26,50
light blob 24,28 30,12 44,6 54,8 56,20 46,26 38,36 28,36
light blob 58,22 66,20 70,30 62,36 54,32
"""

_PINE = """
5a3f2d poly 46,84 54,84 55,100 45,100
dark blob !50,36 62,56 70,68 !84,86 50,90 !16,86 30,68 38,56
base blob !50,16 60,36 66,46 !76,62 50,67 !24,62 34,46 40,36
base blob !50,36 40,56 34,68 !22,84 46,86
light blob !50,-2 56,12 62,22 !68,36 50,41 !32,36 38,22 44,12
base blob !50,-2 56,12 62,22 !68,36 54,39
"""

_PALM = """
8a6242 blob 40,100 46,70 52,40 56,40 54,70 54,100
6b4a35 line 1 44,84 54,84
6b4a35 line 1 47,66 54,66
base blob !54,38 30,20 8,26 !-2,44 20,34 40,36
base blob !54,38 76,18 98,24 !110,42 88,34 66,36
dark blob !54,38 34,40 22,54 !20,70 32,56 46,46
dark blob !54,38 76,40 86,54 !88,70 78,56 64,46
light blob !54,38 40,14 24,4 !10,6 28,16 44,28
light blob !54,38 64,12 80,2 !96,4 80,14 64,28
7a4a2a oval 51,42 3.6,3.6
7a4a2a oval 57,42 3.6,3.6
"""

_FLOWER = """
3f7a3c line 2.6 50,44 52,70 48,100
4a8f45 blob !50,80 62,66 76,62 !84,64 74,76 62,82
4a8f45 blob !49,90 38,76 24,72 !16,74 26,86 38,91
dark blob 50,38 36,20 40,0 50,-4 60,0 64,20
dark blob 50,38 32,32 18,18 20,6 34,8 46,22
dark blob 50,38 68,32 82,18 80,6 66,8 54,22
base blob 50,36 30,44 12,38 10,28 24,22 42,28
base blob 50,36 70,44 88,38 90,28 76,22 58,28
base blob 50,36 46,56 32,66 22,60 26,46 40,36
base blob 50,36 54,56 68,66 78,60 74,46 60,36
light blob 50,36 42,50 42,64 50,70 58,64 58,50
light blob 48,30 40,16 44,4 50,2 52,16
second oval 50,34 10,9.4
e0a030 oval 50,34 6,5.6
"""

_MUSHROOM = """
efe2cc blob 40,54 42,76 36,98 64,98 58,76 60,54
cdb99c blob 54,54 56,76 60,98 64,98 58,76 60,54
c9a98a blob 16,54 50,62 84,54 66,48 34,48
base blob !10,54 14,34 30,16 50,10 70,16 86,34 !90,54 70,58 50,60 30,58
dark blob 62,14 80,28 !90,54 74,57 72,36
second oval 36,32 7,5.6
second oval 58,24 6,4.6
second oval 70,42 6,5
second oval 46,48 5,3.6
second oval 24,46 4,4
"""

_CACTUS = """
dark blob 42,100 41,40 43,14 50,6 57,14 59,40 58,100
base blob 42,100 41,40 43,14 49,6 51,14 52,40 52,100
base line 8 44,66 28,64 24,54 24,40
dark line 8 56,56 72,54 77,44 77,30
light line 1 47,14 46,98
deep line 1 54,16 54,98
ee86ae blob 44,6 47,-2 50,3 53,-2 56,6
"""

_BOWL = """
second-dark oval 34,42 20,19
second oval 33,40 18,17
second-light oval 27,33 5,4
second-dark oval 106,42 20,19
second oval 105,40 18,17
second-light oval 99,33 5,4
second-dark oval 86,20 19,18
second oval 85,18 17,16
second-light oval 79,11 5,4
second-dark oval 52,24 19,18
second oval 51,22 17,16
second-light oval 45,15 5,4
second-dark oval 70,41 20,19
second oval 69,39 18,17
second-light oval 63,32 5,4
4a8f45 blob !88,4 98,-6 114,-6 !120,-2 110,6 98,8
base blob !6,46 70,56 !134,46 128,68 110,86 92,94 48,94 30,86 12,68
dark blob 84,55 !134,46 128,68 110,86 92,94 76,94 100,80
light blob !6,46 40,52 70,53 !134,46 70,58
pale line 2 26,66 34,76 46,84
dark poly 48,93 92,93 96,100 44,100
"""

_FRUIT = """
dark oval 50,62 38,37
base oval 48,60 35.5,35
light blob 24,50 32,34 46,28 52,36 42,42 34,54
5a3f2d line 2.4 50,28 51,20 55,14
4a8f45 blob !52,22 64,12 80,12 !88,16 78,26 64,27
"""

_APPLE = """
dark blob 50,34 64,26 84,32 90,52 82,80 66,98 56,96 44,96 34,98 18,80 10,52 16,32 36,26
base blob 50,35 64,28 80,34 84,52 76,78 62,95 54,93 44,94 34,96 20,80 12,52 18,34 36,28
light blob 22,52 24,38 34,34 38,40 30,48 28,60
5a3f2d line 2.6 50,34 50,22 55,14
4a8f45 blob !52,24 62,12 78,10 !86,12 78,24 64,28
"""

_PEAR = """
dark blob 50,16 60,20 64,36 70,50 82,66 80,86 64,98 50,99 36,98 20,86 18,66 30,50 36,36 40,20
base blob 49,18 57,22 60,38 66,52 76,68 73,86 60,96 48,97 35,96 21,85 20,67 32,51 37,37 41,21
light blob 30,66 36,52 40,58 34,70 32,80
5a3f2d line 2.6 50,18 51,10 56,4
"""

_CUP = """
base oval 90,56 17,17
second oval 90,56 10,10
base blob !16,30 !86,30 84,60 76,84 64,92 38,92 26,84 18,60
dark blob !62,30 !86,30 84,60 76,84 64,92 54,92 66,70
light blob 22,40 28,40 30,60 36,80 30,78 24,60
dark oval 51,30 35,8
4a2c1c oval 51,31 31,6
pale blob 10,92 92,92 84,99 18,99
"""

_TEAPOT = """
base line 6 98,50 116,46 118,68 96,78
base blob !22,56 8,50 -2,36 !-8,34 -4,30 8,32 20,44 30,50
dark blob 18,66 28,44 56,34 86,44 98,66 86,90 30,90
base blob 18,64 28,44 54,34 80,44 88,64 78,86 30,88
light blob 28,56 38,46 48,44 42,54 34,66
dark blob 36,40 56,32 78,40 57,44
base oval 57,30 5,4.6
dark poly 34,90 82,90 80,97 36,97
"""

_VASE = """
3f7a3c line 1.8 46,52 38,30 26,14
3f7a3c line 1.8 50,52 50,26 50,4
3f7a3c line 1.8 54,52 62,30 76,16
4a8f45 blob !44,44 30,42 20,34 34,34
4a8f45 blob !56,44 70,42 80,36 66,34
second oval 26,12 11,10
second oval 76,14 11,10
second oval 50,2 12,11
second oval 38,26 9,8
second oval 64,27 9,8
e0a030 oval 26,12 4,4
e0a030 oval 76,14 4,4
e0a030 oval 50,2 4.4,4.4
e0a030 oval 38,26 3,3
e0a030 oval 64,27 3,3
base blob !38,46 !62,46 60,56 72,70 70,88 60,100 40,100 30,88 28,70 40,56
dark blob !54,46 !62,46 60,56 72,70 70,88 60,100 50,100 60,86 60,70
light blob 35,70 42,60 44,66 38,80
pale line 2 38,46 62,46
"""

_CANDLE = """
f0a640 blob !50,2 57,16 56,26 50,30 44,26 43,16
lamp blob 50,12 53,20 52,26 50,28 48,26 47,20
black line 1 50,28 50,34
base blob !40,34 50,36 !60,34 60,92 40,92
dark blob !54,35 !60,34 60,92 53,92
pale blob 40,34 44,36 45,48 42,52 40,44
b08a45 blob 22,90 78,90 70,99 30,99
"""

_LANTERN = """
5a4632 line 2 36,20 36,6 50,0 64,6 64,20
dark blob !30,26 36,18 64,18 !70,26
lamp poly 33,28 67,28 67,82 33,82
f08a2a blob !50,44 57,58 55,68 50,71 45,68 43,58
base line2 3.4 33,28 33,82
base line 2 50,28 50,40
dark poly 28,82 72,82 76,94 24,94
"""

_GUITAR = """
4a352c poly 47,-2 53,-2 53,54 47,54
3a2a22 blob 45,-14 55,-14 55,0 45,0
base blob 50,42 64,44 68,54 62,64 72,76 70,92 58,100 42,100 30,92 28,76 38,64 32,54 36,44
dark blob 54,42 64,44 68,54 62,64 72,76 70,92 58,100 52,100 62,84 56,64
1d1b20 oval 50,66 8.4,8.4
3a2a22 poly 41,84 59,84 59,88 41,88
pale line 0.5 48.6,0 48.6,86
pale line 0.5 51.4,0 51.4,86
"""

_BOOK = """
base blob !2,30 !60,38 !118,30 118,92 60,98 2,92
f6eedc blob !60,34 40,26 14,26 !7,28 7,86 34,84 60,92
f6eedc blob !60,34 80,26 106,26 !113,28 113,86 86,84 60,92
cfc2a8 blob !60,34 66,31 70,60 66,88 60,92
b9ad98 line 1 18,42 34,41 50,46
b9ad98 line 1 18,52 34,51 50,56
b9ad98 line 1 18,62 34,61 50,66
b9ad98 line 1 70,46 86,41 102,42
b9ad98 line 1 70,56 86,51 102,52
second poly 86,26 94,26 94,52 90,46 86,52
"""

_CROWN = """
base poly 8,34 30,60 50,18 70,60 92,34 84,88 16,88
dark poly 50,18 70,60 92,34 84,88 50,88
base poly 14,80 86,80 86,94 14,94
light poly 14,80 86,80 86,83 14,83
second oval2 8,31 5,5
second oval 50,14 6,6
3d8fe0 oval2 32,87 4,4
d2453a oval 50,87 5,4.6
"""

_CRYSTAL = """
dark poly 26,42 36,20 42,40 40,100 28,100
base poly 18,50 26,42 28,100 16,100
base poly 40,24 50,-4 56,30 54,100 40,100
dark poly 56,30 64,20 66,100 54,100
light poly 40,24 50,-4 50,100 40,100
base poly 66,52 76,38 78,100 66,100
dark poly 76,38 86,54 84,100 78,100
pale poly 68,54 76,38 73,100 68,100
"""

_HEART = """
dark blob !50,96 24,74 8,52 8,30 22,14 40,16 !50,30 60,16 78,14 92,30 92,52 76,74
base blob !48,92 24,72 10,52 10,32 22,17 38,18 !49,33 60,20 74,18 84,32 82,50 70,72
light blob 18,42 18,30 28,22 34,26 26,34 24,46
"""

_UMBRELLA = """
5a4632 line 2 50,16 50,84 46,94 38,94 36,88
dark blob !4,50 10,26 30,10 50,6 70,10 90,26 !96,50 82,44 !68,50 50,44 !34,50 20,44
base blob !34,50 38,24 50,6 62,24 !68,50 50,44
base blob !4,50 10,26 30,10 !50,6 26,26 20,44
light blob 12,38 20,22 34,14 26,26 20,38
"""


THINGS: tuple[Subject, ...] = (
    Subject(
        "tree",
        "oak maple willow birch bonsai sakura",
        _TREE,
        "4f8a3f 6b9a45 3f7a4a",
        "field hills",
        height=0.6,
    ),
    Subject("pine", "fir spruce christmas", _PINE, "2f6b4f 35704a", "snow mountains", height=0.62),
    Subject("palm", "palms coconut", _PALM, "3f8a4a 4f9a4f", "sea desert", height=0.62, width=108),
    Subject(
        "flower",
        "rose tulip daisy sunflower lily blossom poppy orchid bouquet lotus",
        _FLOWER,
        "d94a5a e8a03a a45ac0 f0c4d4",
        "field hills room",
        second="f6d77a",
        height=0.6,
    ),
    Subject(
        "mushroom", "fungus toadstool", _MUSHROOM, "c9382f b5652f", "forest", second="f6eedc", height=0.46
    ),
    Subject("cactus", "cacti succulent", _CACTUS, "4f8a5a 5a9a52", "desert", height=0.52),
    Subject(
        "bowl",
        "fruit fruits dish tangerine tangerines citrus",
        _BOWL,
        "3f6f8f e8ddc8 8a5a44 4f7d74",
        "table",
        second="ee8b22",
        height=0.4,
        width=140,
        stands="table",
    ),
    Subject(
        "orange",
        "mandarin peach melon pumpkin plum grapefruit",
        _FRUIT,
        "ee8420",
        "table",
        height=0.3,
        stands="table",
    ),
    Subject(
        "apple", "cherry tomato strawberry", _APPLE, "c8312b 8fb03a", "table", height=0.32, stands="table"
    ),
    Subject(
        "pear", "quince avocado mango lemon", _PEAR, "b9b53a d8b83f", "table", height=0.36, stands="table"
    ),
    Subject(
        "cup",
        "coffee tea mug latte espresso cappuccino",
        _CUP,
        "e8ddc8 3f7f8a b5523f",
        "table",
        second="8a5a3c",
        height=0.34,
        width=108,
        stands="table",
    ),
    Subject(
        "teapot",
        "kettle jug",
        _TEAPOT,
        "3f7f8a b5523f 6a7d4f",
        "table",
        height=0.36,
        width=120,
        stands="table",
    ),
    Subject(
        "vase",
        "pot jar bottle wine",
        _VASE,
        "3f6f9f e8ddc8 8a4f6a",
        "table",
        second="e0607a",
        height=0.5,
        stands="table",
    ),
    Subject("candle", "candles", _CANDLE, "efe6d2 c8504a", "table", height=0.42, stands="table"),
    Subject("lantern", "lamp streetlamp", _LANTERN, "4a3f3a 6b4a35", "table", height=0.44, stands="table"),
    Subject(
        "guitar",
        "violin cello instrument",
        _GUITAR,
        "b8692f 8a4426",
        "room table",
        height=0.6,
        stands="table",
    ),
    Subject(
        "book",
        "novel tome letter journal",
        _BOOK,
        "8a3f3a 35587a",
        "table",
        second="c9382f",
        height=0.32,
        width=120,
        stands="table",
    ),
    Subject(
        "crown",
        "tiara treasure jewel ring",
        _CROWN,
        "e3ae2e d8b548",
        "table",
        second="d2453a",
        height=0.34,
        stands="table",
    ),
    Subject(
        "crystal",
        "gem diamond crystals quartz amethyst",
        _CRYSTAL,
        "7a5ac0 3fa8b8 c85a9a",
        "mountains table",
        height=0.46,
    ),
    Subject("heart", "love valentine", _HEART, "d2364a", "sky", height=0.5, stands="air"),
    Subject("umbrella", "parasol", _UMBRELLA, "cf3a32 e0a030 2f6fb0", "city field", height=0.46),
)
