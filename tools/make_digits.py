# SPDX-License-Identifier: Apache-2.0
"""Writes Sources/MUXVision/DataSets/DigitsData.swift from scikit-learn's copy of the digits.

    python tools/make_digits.py            (needs scikit-learn; run in the package's root)

Source: E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0 (its test part, 1,797 images).
"""

from sklearn.datasets import load_digits

HEADER = '''// SPDX-License-Identifier: Apache-2.0 AND CC-BY-4.0
// swift-format-ignore-file
//
// Written by tools/make_digits.py; do not edit.
//
// The data are the test part of "Optical Recognition of Handwritten Digits", E. Alpaydin and
// C. Kaynak, UCI Machine Learning Repository (1998), https://doi.org/10.24432/C50P49, licensed
// under CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); here each image is one line: its
// digit, then its 64 values row by row as letters, a = 0 … q = 16.

let digitsText = """
'''

digits = load_digits()
with open("Sources/MUXVision/DataSets/DigitsData.swift", "w", encoding="utf-8") as file:
    file.write(HEADER)
    for image, label in zip(digits.data, digits.target):
        letters = "".join(chr(ord("a") + int(value)) for value in image)
        file.write(f"  {label}{letters}\n")
    file.write('  """\n')
