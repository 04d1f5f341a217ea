// SPDX-License-Identifier: Apache-2.0
//
// Builds the tree from libyaml's events. Recursion, the size of the text and what aliases may
// unfold to are bounded, so that no text can exhaust the stack or, by aliases of aliases, the
// memory or time of whoever walks the tree.
//
// Unsafe code: libyaml's parser and event are C structs behind pointers that live as long as the
// `EventReader`; the texts in an event are copied with the length that libyaml gives.

internal import CYAML

package enum YAMLLimits {
    /// How deep collections may be nested.
    static let depth = 256
    /// How many nodes aliases may add to the tree.
    static let aliasedNodes = 1_000_000
    /// The longest text that is read, in bytes.
    static let size = 256 << 20
}

extension YAMLNode {
    /// Reads the first document of a text (JSON is YAML too). Nil where there is none or it is
    /// empty.
    package init?(parsing text: String, file: String? = nil) throws(YAMLError) {
        try self.init(parsing: Array(text.utf8), file: file)
    }

    package init?(parsing bytes: [UInt8], file: String? = nil) throws(YAMLError) {
        do throws(YAMLError) {
            guard bytes.count <= YAMLLimits.size else {
                throw YAMLError(.syntax, "the text is longer than 256 MiB", at: nil)
            }
            let composer = Composer(bytes)
            guard let root = try composer.document() else { return nil }
            self = root
        } catch {
            throw file.map { error.inFile($0) } ?? error
        }
    }
}

/// libyaml's parser: hands out one event after the other.
@safe private final class EventReader {
    enum Event {
        case scalar(YAMLScalar)
        case sequenceStart(flow: Bool)
        case mappingStart(flow: Bool)
        case end
        case alias(String)
        case documentStart, streamEnd, other
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let event: UnsafeMutablePointer<yaml_event_t>
    /// libyaml reads from this memory until the parser is deleted.
    private let input: UnsafeMutableBufferPointer<UInt8>
    private(set) var position = YAMLPosition(line: 1, column: 1)
    private(set) var anchor: String?
    private(set) var tag: String?

    init(_ bytes: [UInt8]) {
        unsafe input = .allocate(capacity: bytes.count)
        _ = unsafe input.initialize(from: bytes)
        unsafe parser = .allocate(capacity: 1)
        unsafe event = .allocate(capacity: 1)
        unsafe event.initialize(to: yaml_event_t())
        unsafe parser.initialize(to: yaml_parser_t())
        unsafe precondition(yaml_parser_initialize(parser) == 1, "out of memory")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe event.deallocate()
        unsafe input.deallocate()
    }

    func next() throws(YAMLError) -> Event {
        guard unsafe yaml_parser_parse(parser, event) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(event) }
        let mark = unsafe event.pointee.start_mark
        position = YAMLPosition(line: mark.line + 1, column: mark.column + 1)
        anchor = nil
        tag = nil
        switch unsafe event.pointee.type {
        case YAML_SCALAR_EVENT: return scalar()
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.pointee.data.sequence_start
            unsafe properties(start.anchor, start.tag)
            return .sequenceStart(flow: unsafe start.style == YAML_FLOW_SEQUENCE_STYLE)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.pointee.data.mapping_start
            unsafe properties(start.anchor, start.tag)
            return .mappingStart(flow: unsafe start.style == YAML_FLOW_MAPPING_STYLE)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
        case YAML_ALIAS_EVENT:
            return .alias(unsafe text(event.pointee.data.alias.anchor) ?? "")
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        default: return .other
        }
    }

    private func scalar() -> Event {
        let scalar = unsafe event.pointee.data.scalar
        unsafe properties(scalar.anchor, scalar.tag)
        let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        let style: YAMLScalar.Style =
            switch unsafe scalar.style {
            case YAML_PLAIN_SCALAR_STYLE: .plain
            case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .literal
            default: .quoted
            }
        return .scalar(
            YAMLScalar(text: unsafe String(decoding: bytes, as: UTF8.self), style: style))
    }

    private func properties(
        _ anchor: UnsafeMutablePointer<yaml_char_t>?, _ tag: UnsafeMutablePointer<yaml_char_t>?
    ) {
        self.anchor = unsafe text(anchor)
        self.tag = unsafe text(tag).map {
            let prefix = "tag:yaml.org,2002:"
            return $0.hasPrefix(prefix) ? "!!" + $0.dropFirst(prefix.count) : $0
        }
    }

    private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }

    private func failure() -> YAMLError {
        let state = unsafe parser.pointee
        let problem = unsafe state.problem.map { unsafe String(cString: $0) }
        let mark = unsafe state.problem_mark
        var position = YAMLPosition(line: mark.line + 1, column: mark.column + 1)
        if unsafe state.error == YAML_READER_ERROR {
            position = place(ofByte: unsafe state.problem_offset)
        }
        return YAMLError(
            .syntax, problem ?? "unknown problem parsing YAML content", at: position)
    }

    /// The reader's errors (bytes that are no UTF-8, control characters) come with an offset only.
    private func place(ofByte offset: Int) -> YAMLPosition {
        let before = unsafe input.prefix(offset)
        let newline = UInt8(ascii: "\n")
        let line = unsafe before.count { $0 == newline } + 1
        let start = unsafe before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        return YAMLPosition(line: line, column: max(0, offset - start) + 1)
    }
}

/// Makes a tree of the events of one document.
private final class Composer {
    private let events: EventReader
    private var anchors: [String: (node: YAMLNode, size: Int)] = [:]
    /// The anchors whose nodes are still being built: an alias to one of them would be endless.
    private var openAnchors: Set<String> = []
    private var size = 0
    private var aliased = 0
    private var depth = 0

    init(_ bytes: [UInt8]) { events = EventReader(bytes) }

    func document() throws(YAMLError) -> YAMLNode? {
        while true {
            switch try events.next() {
            case .documentStart: return try node(try events.next())
            case .streamEnd: return nil
            default: continue
            }
        }
    }

    private func node(_ event: EventReader.Event) throws(YAMLError) -> YAMLNode {
        let position = events.position
        if case .alias(let name) = event { return try target(of: name, position) }
        let anchor = events.anchor
        let tag = events.tag
        let sizeBefore = size
        size += 1
        if let anchor { openAnchors.insert(anchor) }
        var node: YAMLNode
        switch event {
        case .scalar(let scalar):
            node = YAMLNode(content: .scalar(scalar), tag: tag, position: position)
        case .sequenceStart(let flow):
            let elements = try nested(position) { () throws(YAMLError) in try sequence() }
            node = YAMLNode(content: .sequence(elements), tag: tag, position: position)
            node.isFlow = flow
        case .mappingStart(let flow):
            let entries = try nested(position) { () throws(YAMLError) in try mapping() }
            node = YAMLNode(content: .mapping(entries), tag: tag, position: position)
            node.isFlow = flow
        default: throw YAMLError(.syntax, "unexpected end of the document", at: position)
        }
        if let anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = (node, size - sizeBefore)
        }
        return node
    }

    private func nested<Result>(
        _ position: YAMLPosition, _ body: () throws(YAMLError) -> Result
    ) throws(YAMLError) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= YAMLLimits.depth else {
            throw YAMLError(
                .syntax, "exceeded max depth of \(YAMLLimits.depth)", at: position)
        }
        return try body()
    }

    private func target(of name: String, _ position: YAMLPosition) throws(YAMLError) -> YAMLNode {
        guard !openAnchors.contains(name) else {
            throw YAMLError(.syntax, "anchor '\(name)' value contains itself", at: position)
        }
        guard let (node, size) = anchors[name] else {
            throw YAMLError(.syntax, "unknown anchor '\(name)' referenced", at: position)
        }
        aliased += size
        self.size += size
        guard aliased <= YAMLLimits.aliasedNodes else {
            throw YAMLError(.syntax, "document contains excessive aliasing", at: position)
        }
        return node
    }

    private func sequence() throws(YAMLError) -> [YAMLNode] {
        var elements: [YAMLNode] = []
        while true {
            let event = try events.next()
            if case .end = event { return elements }
            elements.append(try node(event))
        }
    }

    private func mapping() throws(YAMLError) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var merged: [YAMLEntry] = []
        while true {
            let event = try events.next()
            if case .end = event { break }
            let key = try node(event)
            let value = try node(try events.next())
            if isMerge(key) {
                merged += try entriesToMerge(value)
            } else {
                entries.append(YAMLEntry(key: key, value: value))
            }
        }
        guard !merged.isEmpty else { return entries }
        // What the mapping itself says goes before what it merges, and earlier before later.
        var names = Set(entries.compactMap { scalarText($0.key) })
        for entry in merged {
            if let name = scalarText(entry.key), !names.insert(name).inserted { continue }
            entries.append(entry)
        }
        return entries
    }

    private func isMerge(_ key: YAMLNode) -> Bool {
        guard case .scalar(let scalar) = key.content, scalar.text == "<<" else { return false }
        return key.tag == "!!merge" || (key.tag == nil && scalar.style == .plain)
    }

    private func scalarText(_ node: YAMLNode) -> String? {
        if case .scalar(let scalar) = node.content { scalar.text } else { nil }
    }

    private func entriesToMerge(_ value: YAMLNode) throws(YAMLError) -> [YAMLEntry] {
        let complaint = YAMLError(
            .syntax, "map merge requires map or sequence of maps as the value",
            at: value.position)
        switch value.content {
        case .mapping(let entries): return entries
        case .sequence(let elements):
            var all: [YAMLEntry] = []
            for element in elements {
                guard case .mapping(let entries) = element.content else { throw complaint }
                all += entries
            }
            return all
        case .scalar: throw complaint
        }
    }
}
