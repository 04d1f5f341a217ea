// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import JSON
package import Model
package import Platform
package import PromQL
internal import Synchronization

/// The query log: a file that grows by a line of JSON for each query, as upstream writes it.
package final class QueryLogFile: QueryLog {
    private let file: any OpenFile
    private let end: Mutex<Int>

    /// Opens the file, which may hold lines already, or creates it.
    package init(_ path: String, _ fileSystem: any FileSystem) throws(FileError) {
        file = try fileSystem.open(path, .append)
        end = Mutex(try file.size())
    }

    package func write(_ record: QueryRecord) -> Bool {
        let line = Self.line(record, at: currentMilliseconds())
        return end.withLock { end in
            do throws(FileError) {
                try file.write(line.raw, at: end)
                end += line.count
                return true
            } catch {
                return false
            }
        }
    }

    /// The line of a record, with its line break.
    package static func line(_ record: QueryRecord, at time: Timestamp) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.text("time", utcText(time))
            json.text("level", "INFO")
            json.text("source", "QueryLogFile.swift")
            json.text("msg", "promql query logged")
            json.key("params")
            json.object { json in
                json.text("end", utcText(record.end))
                json.text("query", record.query)
                json.text("start", utcText(record.start))
                json.member("step", record.step / 1000)
            }
            if let failure = record.failure { json.text("error", failure) }
            json.key("stats")
            json.statistics(record.statistics)
            switch record.origin {
            case .request(let client, let method, let path):
                json.key("httpRequest")
                json.object { json in
                    json.text("clientIP", client)
                    json.text("method", method)
                    json.text("path", path)
                }
            case nil: break
            }
        }
        return json.output.bytes + [UInt8(ascii: "\n")]
    }
}

extension JSONWriter {
    fileprivate mutating func text(_ name: String, _ text: String) {
        key(name)
        string(text, .plain)
    }
}
