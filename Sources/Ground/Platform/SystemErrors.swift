// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The sentence for an errno, as Go prints it (lower case).
package func systemErrorText(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "errno \(code)" }
    let sentence = unsafe String(cString: text)
    guard let first = sentence.first, !sentence.hasPrefix("RPC") else { return sentence }
    return first.lowercased() + sentence.dropFirst()
}
