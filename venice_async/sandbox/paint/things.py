"""Buildings, vehicles, plants, fruit and other things, drawn."""

from __future__ import annotations

from .subject import Subject

__all__ = ["THINGS"]

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
8a8078 poly 26,92 88,97 88,100 26,100
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
base poly 16,51 24,51 24,56 32,56 32,51 40,51 40,56 48,56 48,51 56,51 56,56 64,56 64,60 16,60
base poly 64,56 72,56 72,51 80,51 80,56 88,56 88,51 96,51 96,56 104,56 104,51 112,51 112,60 64,60
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

_BICYCLE = """
black oval 30,74 26,26
d9c6a0 oval 30,74 22.6,22.6
black oval 120,74 26,26
d9c6a0 oval 120,74 22.6,22.6
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

_BOWL = """
orange oval 34,40 19,18
orange oval 70,36 20,19
orange oval 104,40 19,18
orange oval 52,24 18,17
orange oval 86,20 18,17
4a8f45 blob !88,4 98,-6 114,-6 !120,-2 110,6 98,8
base blob !6,46 70,56 !134,46 128,68 110,86 92,94 48,94 30,86 12,68
dark blob 84,55 !134,46 128,68 110,86 92,94 76,94 100,80
light blob !6,46 40,52 70,53 !134,46 70,58
pale line 2 26,66 34,76 46,84
dark poly 48,93 92,93 96,100 44,100
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

_MOON_LANDER = """
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


def _thing(name: str, words: str, drawing: str, colours: str, settings: str, **more: object) -> Subject:
    return Subject(name, words, drawing, tuple(colours.split()), tuple(settings.split()), **more)  # type: ignore[arg-type]


THINGS: tuple[Subject, ...] = (
    _thing("lighthouse", "beacon", _LIGHTHOUSE, "c23a32 b5452f 2f5f92", "sea", height=0.62),
    _thing(
        "house",
        "cottage cabin home hut villa farm barn building",
        _HOUSE,
        "a8452f 7a5a48 5a6b7d",
        "field hills snow lake",
        second="efe3cb",
        height=0.44,
        width=120,
    ),
    _thing(
        "castle",
        "fortress palace citadel ruin",
        _CASTLE,
        "a39a92 b3a58f 8f93a3",
        "hills mountains lake",
        second="5a6d92",
        height=0.55,
        width=128,
    ),
    _thing(
        "tower",
        "church chapel temple pagoda cathedral",
        _TOWER,
        "b3a28a a08d84",
        "hills mountains",
        second="8a4a3c",
        height=0.66,
    ),
    _thing("windmill", "mill", _WINDMILL, "8a4a3a 5a6472", "field hills", second="efe3cb", height=0.58),
    _thing(
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
    _thing(
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
    _thing(
        "car",
        "automobile taxi truck vehicle convertible roadster",
        _CAR,
        "c23a32 2f6f9f e0a030 3f8a7a",
        "city desert field",
        height=0.26,
        width=170,
    ),
    _thing(
        "train",
        "locomotive railway tram",
        _TRAIN,
        "2f5f55 8a3a32 34486b",
        "field mountains",
        height=0.32,
        width=158,
    ),
    _thing(
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
    _thing(
        "rocket",
        "spaceship starship missile spacecraft",
        _ROCKET,
        "cf3a32 2f6fb0 ee8a2a",
        "space moon desert",
        height=0.6,
        stands="air",
    ),
    _thing(
        "balloon",
        "airship zeppelin balloons",
        _BALLOON,
        "cf3a32 e0902a 2f7fa8",
        "sky hills",
        second="f6e6c0",
        height=0.52,
        stands="air",
    ),
    _thing(
        "ufo",
        "saucer alien",
        _MOON_LANDER,
        "8f9aa8",
        "field desert space",
        height=0.3,
        width=140,
        stands="air",
    ),
    _thing(
        "tree",
        "oak maple willow birch bonsai sakura",
        _TREE,
        "4f8a3f 6b9a45 3f7a4a",
        "field hills",
        height=0.6,
    ),
    _thing("pine", "fir spruce christmas", _PINE, "2f6b4f 35704a", "snow mountains", height=0.62),
    _thing("palm", "palms coconut", _PALM, "3f8a4a 4f9a4f", "sea desert", height=0.62, width=108),
    _thing(
        "flower",
        "rose tulip daisy sunflower lily blossom poppy orchid bouquet lotus",
        _FLOWER,
        "d94a5a e8a03a a45ac0 f0c4d4",
        "field hills room",
        second="f6d77a",
        height=0.6,
    ),
    _thing(
        "mushroom", "fungus toadstool", _MUSHROOM, "c9382f b5652f", "forest", second="f6eedc", height=0.46
    ),
    _thing("cactus", "cacti succulent", _CACTUS, "4f8a5a 5a9a52", "desert", height=0.52),
    _thing(
        "bowl",
        "oranges fruit fruits dish tangerine tangerines citrus",
        _BOWL.replace("orange", "second"),
        "3f6f8f e8ddc8 8a5a44 4f7d74",
        "table",
        second="ee8b22",
        height=0.4,
        width=140,
        stands="table",
    ),
    _thing(
        "orange",
        "mandarin peach melon pumpkin plum grapefruit",
        _FRUIT,
        "ee8420",
        "table",
        height=0.3,
        stands="table",
    ),
    _thing(
        "apple", "cherry tomato strawberry", _APPLE, "c8312b 8fb03a", "table", height=0.32, stands="table"
    ),
    _thing(
        "pear", "quince avocado mango lemon", _PEAR, "b9b53a d8b83f", "table", height=0.36, stands="table"
    ),
    _thing(
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
    _thing(
        "teapot",
        "kettle jug",
        _TEAPOT,
        "3f7f8a b5523f 6a7d4f",
        "table",
        height=0.36,
        width=120,
        stands="table",
    ),
    _thing(
        "vase",
        "pot jar bottle wine",
        _VASE,
        "3f6f9f e8ddc8 8a4f6a",
        "table",
        second="e0607a",
        height=0.5,
        stands="table",
    ),
    _thing("candle", "candles", _CANDLE, "efe6d2 c8504a", "table", height=0.42, stands="table"),
    _thing("lantern", "lamp streetlamp", _LANTERN, "4a3f3a 6b4a35", "table", height=0.44, stands="table"),
    _thing(
        "guitar",
        "violin cello instrument",
        _GUITAR,
        "b8692f 8a4426",
        "room table",
        height=0.6,
        stands="table",
    ),
    _thing(
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
    _thing(
        "crown",
        "tiara treasure jewel ring",
        _CROWN,
        "e3ae2e d8b548",
        "table",
        second="d2453a",
        height=0.34,
        stands="table",
    ),
    _thing(
        "crystal",
        "gem diamond crystals quartz amethyst",
        _CRYSTAL,
        "7a5ac0 3fa8b8 c85a9a",
        "mountains table",
        height=0.46,
    ),
    _thing("heart", "love valentine", _HEART, "d2364a", "sky", height=0.5, stands="air"),
    _thing("umbrella", "parasol", _UMBRELLA, "cf3a32 e0a030 2f6fb0", "city field", height=0.46),
    _thing("bridge", "viaduct", _BRIDGE, "b5452f 7d8792", "sea lake", height=0.44, width=200, stands="water"),
    _thing(
        "tent",
        "camp camping campfire yurt",
        _TENT,
        "d8862f cf5a3a 3f7f8a",
        "mountains forest lake",
        height=0.32,
        width=132,
    ),
)
