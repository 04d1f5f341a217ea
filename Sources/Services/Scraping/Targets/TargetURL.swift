// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Puts a URL together as Go's `net/url` does: the path escaped, parameters sorted by name.
func targetURL(
    scheme: String, host: String, path: String, parameters: [(name: String, values: [String])]
) -> String {
    var url = "\(scheme)://\(host)"
    if !path.isEmpty, !path.hasPrefix("/") { url += "/" }
    url += escaped(path, keeping: "$&+,/:;=@", blankAsPlus: false)
    var query: [String] = []
    for (name, values) in parameters.sorted(by: { isOrderedBytewise($0.name, $1.name) }) {
        let name = escaped(name, keeping: "", blankAsPlus: true)
        for value in values {
            query.append("\(name)=\(escaped(value, keeping: "", blankAsPlus: true))")
        }
    }
    return query.isEmpty ? url : "\(url)?\(query.joined(separator: "&"))"
}

private func escaped(_ text: String, keeping kept: String, blankAsPlus: Bool) -> String {
    let hexadecimal = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    for byte in text.utf8 {
        let isPlain =
            byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26
            || "-_.~".utf8.contains(byte) || kept.utf8.contains(byte)
        if isPlain {
            result.append(byte)
        } else if byte == UInt8(ascii: " "), blankAsPlus {
            result.append(UInt8(ascii: "+"))
        } else {
            result += [
                UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)],
            ]
        }
    }
    return String(decoding: result, as: UTF8.self)
}
