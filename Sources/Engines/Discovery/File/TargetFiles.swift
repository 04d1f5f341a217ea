// SPDX-License-Identifier: Apache-2.0

internal import Model
package import Platform
internal import YAML

/// The files of one discovery section: what they held when they were last read. A value without
/// clock or task: `refresh` reads, and says which groups that changes.
package struct TargetFiles: Sendable {
    package struct Refresh: Sendable {
        /// Groups to publish; those without targets remove what their source gave before.
        package var groups: [TargetGroup] = []
        /// Files that could not be read or hold no target groups. What they gave before stays.
        package var failures: [(path: String, reason: String)] = []
    }

    private let patterns: [String]
    /// How many groups each file gave.
    private var groupCounts: [String: Int] = [:]
    private var stamps: [String: FileStatus] = [:]

    package init(_ configuration: FileDiscoveryConfiguration) { patterns = configuration.files }

    private func existing(_ fileSystem: any FileSystem) -> [String] {
        patterns.flatMap { fileSystem.paths(matching: $0) }
    }

    private func currentStamps(_ fileSystem: any FileSystem) -> [String: FileStatus] {
        var stamps: [String: FileStatus] = [:]
        for path in existing(fileSystem) {
            // A file that went away meanwhile is noticed by its missing stamp.
            stamps[path] = (try? fileSystem.status(of: path)) ?? nil
        }
        return stamps
    }

    /// Whether a file has come, gone or changed since the last refresh.
    package func hasChanged(_ fileSystem: any FileSystem) -> Bool {
        currentStamps(fileSystem) != stamps
    }

    package mutating func refresh(_ fileSystem: any FileSystem) -> Refresh {
        var result = Refresh()
        var counts: [String: Int] = [:]
        // Before reading: a change during it is then seen by the next look.
        stamps = currentStamps(fileSystem)
        for path in existing(fileSystem) {
            do {
                let groups = try Self.read(path, fileSystem)
                counts[path] = groups.count
                result.groups += groups
            } catch {
                counts[path] = groupCounts[path] ?? 0
                result.failures.append((path, "\(error)"))
            }
        }
        for (path, before) in groupCounts.sorted(by: { $0.key < $1.key }) {
            let now = counts[path] ?? 0
            guard now < before else { continue }
            for index in now..<before {
                result.groups.append(
                    TargetGroup(source: Self.source(path, index), targets: [], labels: .empty))
            }
        }
        groupCounts = counts
        return result
    }

    private static func source(_ path: String, _ index: Int) -> String { "\(path):\(index)" }

    /// The groups in a file. One that is damaged in any way gives none.
    package static func read(
        _ path: String, _ fileSystem: any FileSystem
    ) throws -> [TargetGroup] {
        let bytes = try fileSystem.contents(of: path)
        let isJSON = path.lowercased().hasSuffix(".json")
        do throws(YAMLError) {
            guard let root = try YAMLNode(parsing: bytes) else {
                if isJSON { throw YAMLError(.syntax, "unexpected end of JSON input", at: nil) }
                return []
            }
            var groups: [TargetGroup] = []
            for (index, node) in try root.elements("[]*targetgroup.Group").enumerated() {
                guard !node.isNull else { throw node.invalid("nil target group item found") }
                var group = try TargetGroup(
                    node, source: source(path, index), quotedOnly: isJSON)
                group.labels = group.labels.setting("__meta_filepath", path)
                groups.append(group)
            }
            return groups
        } catch {
            throw error.inFile(path)
        }
    }
}
