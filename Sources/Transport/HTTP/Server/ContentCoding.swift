// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Compression

/// Compression of answers, where the handler allows it (a `Vary: Accept-Encoding` header) and the
/// client takes it. Only gzip: every client that takes deflate takes gzip.
enum ContentCoding {
    /// The fastest: an answer is read once.
    static let level = 1
    /// Shorter bodies are sent as they are.
    private static let worthwhile = 256

    /// Whether to compress; sets the headers that say so.
    static func wantsGzip(_ request: Request, _ headers: inout Headers) -> Bool {
        guard headers["Vary"]?.contains("Accept-Encoding") == true else { return false }
        let accepted = request.headers.all("Accept-Encoding").joined(separator: ",")
        guard accepts(accepted) else { return false }
        headers["Content-Encoding"] = "gzip"
        return true
    }

    static func packed(_ bytes: [UInt8], _ request: Request, _ headers: inout Headers) -> [UInt8] {
        guard bytes.count >= worthwhile, wantsGzip(request, &headers) else { return bytes }
        return GzipEncoder(level: level).encode(bytes.raw)
    }

    /// `gzip` or `x-gzip` in the list without a weight of zero.
    private static func accepts(_ list: String) -> Bool {
        list.split(separator: "," as Character).contains { item in
            let parts = item.split(separator: ";" as Character).map { part in
                String(part.filter { $0 != " " && $0 != "\t" }).lowercased()
            }
            guard parts.first == "gzip" || parts.first == "x-gzip" else { return false }
            return !parts.dropFirst().contains {
                ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains($0)
            }
        }
    }
}
