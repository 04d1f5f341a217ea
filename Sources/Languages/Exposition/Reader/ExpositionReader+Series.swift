// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

/// The value and time of a sample.
struct SampleFields {
    /// The series as written, from the start of the line to the end of the label set.
    var seriesRange = 0..<0
    var valueRange = 0..<0
    var value = 0.0
    var timestamp: Timestamp?
}

/// An exemplar behind a sample.
struct ExemplarFields {
    var isPresent = false
    var names = NameRanges()
    var value = 0.0
    var timestamp: Timestamp?
}

extension ExpositionReader {
    /// The value; every NaN has the payload of an ordinary NaN.
    package var value: Double { sample.value }
    /// The explicit time of the sample, in milliseconds.
    package var timestamp: Timestamp? { sample.timestamp }
    /// Where the text of the value stands.
    package var valueRange: Range<Int> { sample.valueRange }

    @_lifetime(self: copy self)
    mutating func series(_ first: Token) throws(ExpositionError) {
        var token = first
        if first == .metricName {
            // From the start of the line: blanks before the name belong to it, as upstream has it.
            names.name = lineStart..<lexer.offset
            sample.seriesRange = lineStart..<lexer.offset
            token = nextToken()
        }
        if token == .braceOpen {
            names = try labelSet(names, isExemplar: false)
            sample.seriesRange = lineStart..<lexer.offset
            token = nextToken()
        }
        guard names.hasName else { throw failure("metric name not set") }
        sample.value = try float(token, after: "metric")
        sample.valueRange = valueTokenRange
        sample.timestamp = nil
        switch lexer.dialect {
        case .text: try endOfTextLine()
        case .openMetrics: try endOfOpenMetricsLine()
        }
    }

    /// The inside of braces and the closing one.
    @_lifetime(self: copy self)
    private mutating func labelSet(
        _ known: NameRanges, isExemplar: Bool
    ) throws(ExpositionError) -> NameRanges {
        var names = known
        var token = nextToken()
        while token != .braceClose {
            guard token == .labelName || token == .quotedString else {
                throw unexpected(token, "expected label name")
            }
            let isQuoted = token == .quotedString
            let nameRange =
                isQuoted ? (lexer.start + 1)..<(lexer.offset - 1) : lexer.start..<lexer.offset
            token = nextToken()
            // A quoted string with nothing behind it is the metric name.
            if isQuoted, token == .comma || token == .braceClose {
                if isExemplar { throw unexpected(token, "expected label name") }
                if names.hasName { throw failure("metric name already set") }
                names.name = nameRange
                if token == .comma { token = nextToken() }
                continue
            }
            guard token == .equal else { throw unexpected(token, "expected equal") }
            names.labels.append(nameRange)
            names.labels.append(try labelValue())
            token = nextToken()
            if token == .comma {
                token = nextToken()
            } else if lexer.dialect == .openMetrics, token != .braceClose {
                throw unexpected(token, "expected comma or brace close")
            }
        }
        return names
    }

    @_lifetime(self: copy self)
    private mutating func labelValue() throws(ExpositionError) -> Range<Int> {
        try expect(.labelValue, "expected label value")
        let quotedValue = lexer.bytes.extracting(lexer.start..<lexer.offset)
        guard isValidUTF8(quotedValue) else {
            throw ExpositionError("invalid UTF-8 label value: \(quoted(quotedValue))")
        }
        return (lexer.start + 1)..<(lexer.offset - 1)
    }

    /// Where the number in the current token stands; OpenMetrics tokens begin with a blank.
    private var valueTokenRange: Range<Int> {
        (lexer.dialect == .text ? lexer.start : lexer.start + 1)..<lexer.offset
    }

    @_lifetime(self: copy self)
    private mutating func float(_ token: Token, after: String) throws(ExpositionError) -> Double {
        guard token == .value else { throw unexpected(token, "expected value after \(after)") }
        let value = try float()
        return value.isNaN ? StaleMarker.ordinaryNaN : value
    }

    /// The number in the current token.
    private func float() throws(ExpositionError) -> Double {
        let text = lexer.bytes.extracting(valueTokenRange)
        do throws(FloatTextError) {
            return try parseFloat(text)
        } catch {
            for offset in 0..<text.byteCount {
                let byte = text[offset]
                if byte | 0x20 == UInt8(ascii: "p") || byte == UInt8(ascii: "_") {
                    throw failure("unsupported character in float")
                }
            }
            let reason = error == .range ? "value out of range" : "invalid syntax"
            throw failure("strconv.ParseFloat: parsing \(quoted(text)): \(reason)")
        }
    }

    @_lifetime(self: copy self)
    private mutating func endOfTextLine() throws(ExpositionError) {
        let token = nextToken()
        if token == .linebreak { return }
        guard token == .timestamp else {
            throw unexpected(token, "expected timestamp or new record")
        }
        let digits = text(lexer.start..<lexer.offset)
        guard let timestamp = Timestamp(digits) else {
            throw failure("strconv.ParseInt: parsing \(quoted(digits)): value out of range")
        }
        sample.timestamp = timestamp
        try expect(.linebreak, "expected next entry after timestamp")
    }

    @_lifetime(self: copy self)
    private mutating func endOfOpenMetricsLine() throws(ExpositionError) {
        var token = nextToken()
        // Anything else than these is left to whoever reads the next line, as upstream has it.
        switch token {
        case .end: throw ExpositionError("data does not end with # EOF")
        case .timestamp:
            sample.timestamp = try seconds("timestamp")
            token = nextToken()
            if token == .linebreak { return }
            guard token == .comment else {
                throw unexpected(token, "expected next entry after timestamp")
            }
            try readExemplar()
        case .comment: try readExemplar()
        default: return
        }
    }

    /// A time in seconds, as milliseconds.
    private func seconds(_ what: String) throws(ExpositionError) -> Timestamp {
        let seconds = try float()
        guard seconds.isFinite else {
            let text = seconds.isNaN ? "NaN" : seconds < 0 ? "-Inf" : "+Inf"
            throw ExpositionError("invalid \(what) \(text)")
        }
        // Beyond the range of integers the hardware that upstream runs on yields the smallest one.
        return Timestamp(exactly: (seconds * 1000).rounded(.towardZero)) ?? .min
    }

    @_lifetime(self: copy self)
    private mutating func readExemplar() throws(ExpositionError) {
        if created.isPeeking {
            var token = nextToken()
            while token != .linebreak {
                if token == .end || token == .invalid {
                    throw ExpositionError("data does not end with # EOF")
                }
                token = nextToken()
            }
            return
        }
        exemplarFields = ExemplarFields()
        exemplarFields.names = try labelSet(NameRanges(), isExemplar: true)
        exemplarFields.isPresent = true
        exemplarFields.value = try float(nextToken(), after: "exemplar labels")
        let token = nextToken()
        switch token {
        case .end: throw ExpositionError("data does not end with # EOF")
        case .linebreak: return
        case .timestamp:
            exemplarFields.timestamp = try seconds("exemplar timestamp")
            try expect(.linebreak, "expected next entry after exemplar timestamp")
        default: throw unexpected(token, "expected timestamp or comment")
        }
    }
}
