// SPDX-License-Identifier: Apache-2.0
//
// The few places where Go's regexp package and RE2 differ for users: the spelling of named groups
// and the sentences about broken patterns. Go compiles a matcher's pattern as `^(?s:…)$`, which
// shows in those of its sentences that quote the rest of the pattern.

/// Spells named groups `(?<name>…)` as RE2 of every version reads them: `(?P<name>…)`.
func withNamedGroups(_ pattern: String) -> String {
    guard pattern.contains("(?<") else { return pattern }
    var result: [UInt8] = []
    let bytes = Array(pattern.utf8)
    var isInClass = false
    var at = 0
    while at < bytes.count {
        let byte = bytes[at]
        switch byte {
        case UInt8(ascii: "\\") where at + 1 < bytes.count:
            result += [byte, bytes[at + 1]]
            at += 2
            continue
        case UInt8(ascii: "["): isInClass = true
        case UInt8(ascii: "]"): isInClass = false
        case UInt8(ascii: "("):
            if !isInClass, bytes[at...].starts(with: "(?<".utf8) {
                result += "(?P<".utf8
                at += 3
                continue
            }
        default: break
        }
        result.append(byte)
        at += 1
    }
    return String(decoding: result, as: UTF8.self)
}

/// RE2's sentence about `pattern` in Go's words.
func goSentence(_ sentence: String, _ pattern: String) -> String {
    let parts = sentence.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let kind = String(parts[0])
    let argument = parts.count > 1 ? String(parts[1].dropFirst()) : ""
    switch kind {
    case "missing )": return "missing closing ): `^(?s:\(pattern))$`"
    case "unexpected )": return "unexpected ): `^(?s:\(pattern))$`"
    case "missing ]": return "missing closing ]: `\(argument))$`"
    case "no argument for repetition operator":
        return "missing argument to repetition operator: `\(argument)`"
    case "bad repetition operator": return "invalid nested repetition operator: `\(argument)`"
    case "invalid repetition size": return "invalid repeat count: `\(argument)`"
    case "invalid perl operator": return "invalid or unsupported Perl syntax: `\(argument)`"
    case "invalid named capture group": return "invalid named capture: `\(argument)`"
    case "trailing \\": return "trailing backslash at end of expression: ``"
    default: return argument.isEmpty ? kind : "\(kind): `\(argument)`"
    }
}
