// SPDX-License-Identifier: Apache-2.0
//
// Writes a tree as Go's yaml.v2 does: libyaml's own emitter, with that package's choice of quotes.
// A string stays plain unless it would be read as something else; a text of several lines is a
// literal.
//
// Unsafe code: libyaml's emitter and events are C structs behind pointers that live as long as the
// `EventWriter`; it copies the texts that it is given.

internal import CYAML

extension YAMLNode {
    /// The node as a YAML document, ending in a newline.
    package func yaml() -> String {
        let writer = EventWriter()
        writer.begin()
        writer.write(self)
        return writer.finish()
    }
}

@safe private final class EventWriter {
    private let emitter: UnsafeMutablePointer<yaml_emitter_t>
    private let event: UnsafeMutablePointer<yaml_event_t>
    private let output: UnsafeMutablePointer<[UInt8]>

    init() {
        unsafe output = .allocate(capacity: 1)
        unsafe output.initialize(to: [])
        unsafe event = .allocate(capacity: 1)
        unsafe event.initialize(to: yaml_event_t())
        unsafe emitter = .allocate(capacity: 1)
        unsafe emitter.initialize(to: yaml_emitter_t())
        unsafe precondition(yaml_emitter_initialize(emitter) == 1, "out of memory")
        unsafe yaml_emitter_set_unicode(emitter, 1)
        unsafe yaml_emitter_set_output(
            emitter,
            { context, bytes, count in
                guard let context = unsafe context else { return 0 }
                let output = unsafe context.assumingMemoryBound(to: [UInt8].self)
                unsafe output.pointee.append(
                    contentsOf: UnsafeBufferPointer(start: bytes, count: count))
                return 1
            }, output)
    }

    deinit {
        unsafe yaml_emitter_delete(emitter)
        unsafe emitter.deallocate()
        unsafe event.deallocate()
        unsafe output.deinitialize(count: 1)
        unsafe output.deallocate()
    }

    func begin() {
        unsafe yaml_stream_start_event_initialize(event, YAML_UTF8_ENCODING)
        emit()
        unsafe yaml_document_start_event_initialize(event, nil, nil, nil, 1)
        emit()
    }

    func finish() -> String {
        unsafe yaml_document_end_event_initialize(event, 1)
        emit()
        unsafe yaml_stream_end_event_initialize(event)
        emit()
        unsafe yaml_emitter_flush(emitter)
        return unsafe String(decoding: output.pointee, as: UTF8.self)
    }

    private func emit() {
        // The emitter takes the event over. It refuses only events out of order and text that is no
        // UTF-8, neither of which a tree can make it see.
        unsafe precondition(yaml_emitter_emit(emitter, event) == 1, "the YAML emitter refused")
    }

    func write(_ node: YAMLNode) {
        switch node.content {
        case .scalar(let scalar): write(scalar)
        case .sequence(let elements):
            let style =
                node.isFlow || elements.isEmpty
                ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE
            unsafe yaml_sequence_start_event_initialize(event, nil, nil, 1, style)
            emit()
            for element in elements { write(element) }
            unsafe yaml_sequence_end_event_initialize(event)
            emit()
        case .mapping(let entries):
            let style =
                node.isFlow || entries.isEmpty
                ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE
            unsafe yaml_mapping_start_event_initialize(event, nil, nil, 1, style)
            emit()
            for entry in entries {
                write(entry.key)
                write(entry.value)
            }
            unsafe yaml_mapping_end_event_initialize(event)
            emit()
        }
    }

    private func write(_ scalar: YAMLScalar) {
        let style: yaml_scalar_style_t
        if scalar.style == .plain || (resolve(scalar.text) == .string && !isBase60(scalar.text)) {
            style = scalar.text.contains("\n") ? YAML_LITERAL_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE
        } else {
            style = YAML_DOUBLE_QUOTED_SCALAR_STYLE
        }
        var text = scalar.text
        text.withUTF8 { bytes in
            // The length is an Int32 there; texts come from files that are bounded far below.
            _ = unsafe yaml_scalar_event_initialize(
                event, nil, nil, bytes.baseAddress, Int32(clamping: bytes.count), 1, 1, style)
        }
        emit()
    }

    /// `1:30`, which other readers of YAML 1.1 take for 90.
    private func isBase60(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return false }
        let first = parts[0].first == "-" || parts[0].first == "+" ? parts[0].dropFirst() : parts[0]
        let isNumber = { (part: Substring) in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "_") }
        }
        let last = parts[parts.count - 1].split(separator: ".", maxSplits: 1)
        return isNumber(first) && parts.dropFirst().dropLast().allSatisfy(isNumber)
            && !last.isEmpty && isNumber(last[0])
    }
}
