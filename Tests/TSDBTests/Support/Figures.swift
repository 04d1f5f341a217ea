// SPDX-License-Identifier: Apache-2.0

import Bytes
import Instrumentation

/// What a metric without labels says; nil where there is none.
func value(of name: String, _ registry: Registry) -> Double? {
    var writer = ByteWriter()
    registry.expose(into: &writer)
    for line in String(decoding: writer.bytes, as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: " ")
        if parts.first == name[...], parts.count == 2 { return Double(parts[1]) }
    }
    return nil
}
