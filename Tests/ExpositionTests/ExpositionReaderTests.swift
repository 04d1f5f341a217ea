// SPDX-License-Identifier: Apache-2.0

import Bytes
import Exposition
import Model
import Testing

@Suite struct ExpositionReaderTests {
    /// Everything that a body says, in lines; the error at the end.
    private func read(
        _ text: String, _ dialect: TextDialect = .text, _ options: ExpositionOptions = .init()
    ) -> [String] {
        let bytes = Array(text.utf8)
        var lines: [String] = []
        var reader = ExpositionReader(bytes.raw, dialect: dialect, options: options)
        do {
            while let entry = try reader.next() {
                switch entry {
                case .help: lines.append("help \(reader.familyName): \(reader.help)")
                case .type: lines.append("type \(reader.familyName): \(reader.family.type)")
                case .unit: lines.append("unit \(reader.familyName): \(reader.family.unit)")
                case .comment: lines.append("comment \(reader.text)")
                case .series:
                    let time = reader.timestamp.map { " @\($0)" } ?? ""
                    lines.append("\(reader.labels()) \(reader.value)\(time)")
                }
            }
        } catch {
            lines.append("error: \(error)")
        }
        return lines
    }

    @Test func `a text is read line by line`() {
        let text = """
            # HELP a A \\\\ thing\\nof two lines
            # TYPE a counter
            a{b="c", d = "e\\"f",} 1 1000

            # a comment
            a 2
            """
        #expect(
            read(text) == [
                "help a: A \\ thing\nof two lines", "type a: counter",
                #"{__name__="a", b="c", d="e\"f"} 1.0 @1000"#, "comment # a comment",
                #"{__name__="a"} 2.0"#,
            ])
    }

    @Test func `bounds and quantiles are written in one way`() {
        let text = """
            # TYPE h histogram
            h_bucket{le="1"} 1
            h_bucket{le="1e6"} 1
            h_bucket{quantile="1"} 1
            # TYPE s summary
            s{quantile="0.50"} 1
            """
        #expect(
            read(text).filter { $0.hasPrefix("{") } == [
                #"{__name__="h_bucket", le="1.0"} 1.0"#, #"{__name__="h_bucket", le="1e+06"} 1.0"#,
                #"{__name__="h_bucket", quantile="1"} 1.0"#, #"{__name__="s", quantile="0.5"} 1.0"#,
            ])
    }

    @Test func `names in quotes may hold anything`() {
        #expect(
            read(#"{"my.metric", "a b"="c"} 1"#) == [#"{__name__="my.metric", "a b"="c"} 1.0"#])
    }

    @Test func `OpenMetrics must end with its end mark`() {
        #expect(
            read("a 1\n", .openMetrics) == [
                #"{__name__="a"} 1.0"#, "error: data does not end with # EOF",
            ])
        #expect(read("a 1 2.5\n# EOF\n", .openMetrics) == [#"{__name__="a"} 1.0 @2500"#])
    }

    @Test func `an error quotes the line up to what does not fit`() {
        #expect(
            read("a 1\nb{c='d'} 1\n").last
                == #"error: expected label value, got "'" ("INVALID") while parsing: "b{c='""#)
    }

    @Test func `every NaN becomes an ordinary one`() throws {
        let bytes = Array("a nan".utf8)
        var reader = ExpositionReader(bytes.raw, dialect: .text, options: .init())
        #expect(try reader.next() == .series)
        #expect(reader.value.bitPattern == StaleMarker.ordinaryNaNBits)
    }

    @Test func `no bytes trap`() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("ab{}\"=,#\\ \t\n\0\u{ff}1.e+-HELP TYPE UNIT EOF".utf8)
        for _ in 0..<5000 {
            let length = Int.random(in: 0..<60, using: &generator)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator)! }
            for dialect in [TextDialect.text, .openMetrics] {
                var reader = ExpositionReader(bytes.raw, dialect: dialect, options: .init())
                while let entry = try? reader.next() {
                    if entry == .series {
                        _ = reader.labels()
                        _ = reader.exemplar
                        _ = reader.startTimestamp()
                    }
                }
            }
        }
    }
}
