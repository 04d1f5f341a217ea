// SPDX-License-Identifier: Apache-2.0
//
// Go's `strings.ToLower` and `ToUpper`: Unicode's simple case mappings, one character for one.
// Swift has the full mappings, under which `ß` becomes `SS`; they agree wherever the result is one
// character.

extension String {
    var goLowercased: String {
        mapped { scalar in
            // The only character whose full lower case is longer than its simple one.
            scalar.value == 0x130 ? "i" : single(scalar.properties.lowercaseMapping) ?? scalar
        }
    }

    var goUppercased: String {
        mapped { scalar in
            let isGreekWithIota: Bool =
                switch scalar.value {
                case 0x1F80...0x1F87, 0x1F90...0x1F97, 0x1FA0...0x1FA7: true
                default: false
                }
            if isGreekWithIota { return UnicodeScalar(scalar.value + 8) ?? scalar }
            switch scalar.value {
            case 0x1FB3, 0x1FC3, 0x1FF3: return UnicodeScalar(scalar.value + 9) ?? scalar
            default: return single(scalar.properties.uppercaseMapping) ?? scalar
            }
        }
    }

    private func mapped(_ transform: (UnicodeScalar) -> UnicodeScalar) -> String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars { result.append(transform(scalar)) }
        return String(result)
    }
}

/// The scalar that a text consists of, if it is one.
private func single(_ text: String) -> UnicodeScalar? {
    text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
}
