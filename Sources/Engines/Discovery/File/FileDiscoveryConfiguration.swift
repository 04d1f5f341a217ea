// SPDX-License-Identifier: Apache-2.0

package import Model
internal import Settings
internal import YAML

/// Target groups in JSON or YAML files that other programs write.
package struct FileDiscoveryConfiguration: Sendable, Hashable {
    /// Paths, each with wildcards in its last element at most.
    package var files: [String]
    /// How often the files are read even if nothing seems to have changed.
    package var refreshInterval: Milliseconds = 300_000

    package init(files: [String]) { self.files = files }

    init(_ node: YAMLNode, in directory: String) throws(YAMLError) {
        var fields = try YAMLMapping(node, "file.plain")
        files = try fields.list("files", "[]string") { element throws(YAMLError) in
            let path = try element.string()
            guard Self.isValid(path) else {
                throw element.invalid("path name \(quoted(path)) is not valid for file discovery")
            }
            return joined(directory, path)
        }
        refreshInterval = try fields.duration("refresh_interval") ?? refreshInterval
        try fields.finish()
        guard !files.isEmpty else {
            throw node.invalid(
                "file service discovery config must contain at least one path name")
        }
        guard refreshInterval > 0 else {
            throw node.invalid("refresh_interval of file service discovery must be positive")
        }
    }

    /// A name that ends in .json, .yml or .yaml and has stars in its last element at most.
    private static func isValid(_ path: String) -> Bool {
        let endings = [".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"]
        guard let ending = endings.first(where: path.hasSuffix) else { return false }
        let stem = path.dropLast(ending.count)
        return stem.firstIndex(of: "*").map { !stem[$0...].contains("/") } ?? true
    }

    var yaml: YAMLNode {
        .mapping([
            ("files", .sequence(files.map { .string($0) })),
            ("refresh_interval", .duration(refreshInterval)),
        ])
    }
}
