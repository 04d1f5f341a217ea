// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Order and equality of text by its UTF-8 bytes, as Go compares strings. Swift's own comparison
/// treats canonically equivalent texts as equal, which would merge distinct label values.
package func isOrderedBytewise(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

package func isEqualBytewise(_ left: String, _ right: String) -> Bool {
    let (left, right) = (left.utf8, right.utf8)
    return unsafe left.count == right.count
        && compareBytes(left.span.bytes, right.span.bytes) == 0
}

/// Negative, zero or positive as `left` sorts before, with or after `right`, bytewise.
package func compareBytes(_ left: RawSpan, _ right: RawSpan) -> Int {
    unsafe left.withUnsafeBytes { leftBytes in
        unsafe right.withUnsafeBytes { rightBytes in
            let shared = min(leftBytes.count, rightBytes.count)
            if shared > 0 {
                let order = unsafe memcmp(leftBytes.baseAddress!, rightBytes.baseAddress!, shared)
                if order != 0 { return Int(order) }
            }
            return leftBytes.count - rightBytes.count
        }
    }
}
