// SPDX-License-Identifier: Apache-2.0

/// A password or token. Printing it, interpolating it or dumping it shows `<secret>`.
package struct Secret: Sendable, Hashable {
    package var text: String

    package init(_ text: String) { self.text = text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
