// SPDX-License-Identifier: Apache-2.0

/// A place in a YAML text, both numbers counted from 1. Columns count characters.
package struct YAMLPosition: Sendable, Hashable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A node of a YAML document: what was written and where, with aliases and merge keys resolved but
/// no scalar given a type yet. A value; nodes that aliases refer to share their memory.
package struct YAMLNode: Sendable {
    package enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        /// In the order of the text. Keys may repeat: only a reader knows how to say so.
        case mapping([YAMLEntry])
    }

    package var content: Content
    /// The explicit tag in its short form (`!!binary`), or nil.
    package var tag: String?
    /// Where the node begins; nil in a tree that was built to be written.
    package var position: YAMLPosition?
    /// Whether a collection is written as `[a, b]` or `{a: b}`.
    package var isFlow = false
}

/// A scalar as written, after unquoting.
package struct YAMLScalar: Sendable {
    package enum Style: Sendable, Hashable { case plain, quoted, literal }

    package var text: String
    /// Only a plain scalar can be anything but a string.
    package var style: Style
}

package struct YAMLEntry: Sendable {
    package var key: YAMLNode
    package var value: YAMLNode
}

extension YAMLNode {
    /// The tag that counts: the explicit one, or what the content resolves to (`!!str`, `!!int`,
    /// …).
    package var resolvedTag: String {
        if let tag, tag != "!" { return tag }
        switch content {
        case .sequence: return "!!seq"
        case .mapping: return "!!map"
        case .scalar(let scalar):
            guard scalar.style == .plain, tag == nil else { return "!!str" }
            return resolve(scalar.text).tag
        }
    }

    package var isNull: Bool { resolvedTag == "!!null" }
}

// MARK: Trees that are built to be written

extension YAMLNode {
    private init(_ content: Content, flow: Bool = false) {
        self.content = content
        isFlow = flow
    }

    /// A string; the writer chooses quotes where they are needed.
    package static func string(_ text: String) -> YAMLNode {
        YAMLNode(.scalar(YAMLScalar(text: text, style: .quoted)))
    }

    package static func bool(_ value: Bool) -> YAMLNode { plain(value ? "true" : "false") }

    package static func integer(_ value: some BinaryInteger) -> YAMLNode { plain(String(value)) }

    /// Text that is written without quotes, whatever it resolves to.
    package static func plain(_ text: String) -> YAMLNode {
        YAMLNode(.scalar(YAMLScalar(text: text, style: .plain)))
    }

    package static func sequence(_ elements: [YAMLNode], flow: Bool = false) -> YAMLNode {
        YAMLNode(.sequence(elements), flow: flow)
    }

    /// A mapping of the entries that have a value, in this order.
    package static func mapping(_ entries: [(String, YAMLNode?)], flow: Bool = false) -> YAMLNode {
        let present = entries.compactMap { name, value in
            value.map { YAMLEntry(key: .string(name), value: $0) }
        }
        return YAMLNode(.mapping(present), flow: flow)
    }
}
