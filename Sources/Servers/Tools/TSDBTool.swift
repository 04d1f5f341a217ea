// SPDX-License-Identifier: Apache-2.0

internal import Model
package import Platform
internal import Storage
internal import TSDB

/// `narthex tool tsdb …`: looks at, checks and mends a data folder.
package struct TSDBTool: Sendable {
    /// One command: its exit code is 0 for good, 1 for what it found, 2 for wrong arguments.
    struct Command: Sendable {
        var name: String
        var help: String
        var run: @Sendable (TSDBTool, Arguments) throws(StorageError) -> Int32
    }

    /// What stands behind the command.
    struct Arguments: Sendable {
        var folder: String
        var target: BlockConversion.Target?

        /// Nil where they are not `<folder>`, or `<folder> --to <encoding>` where one is wanted.
        init?(_ arguments: ArraySlice<String>, wantsEncoding: Bool) {
            var folders: [String] = []
            var encodings: [String] = []
            var rest = arguments
            while let argument = rest.popFirst() {
                if argument == "--to", let value = rest.popFirst() {
                    encodings.append(value)
                } else if argument.hasPrefix("--to=") {
                    encodings.append(String(argument.dropFirst(5)))
                } else {
                    folders.append(argument)
                }
            }
            guard folders.count == 1, !folders[0].hasPrefix("-"),
                encodings.count == (wantsEncoding ? 1 : 0)
            else { return nil }
            folder = folders[0]
            if wantsEncoding {
                guard let target = BlockConversion.Target(rawValue: encodings[0]) else {
                    return nil
                }
                self.target = target
            }
        }
    }

    let files: any FileSystem
    let output: @Sendable (String) -> Void
    let error: @Sendable (String) -> Void

    package init(
        files: any FileSystem, output: @escaping @Sendable (String) -> Void,
        error: @escaping @Sendable (String) -> Void
    ) {
        self.files = files
        self.output = output
        self.error = error
    }

    static let tool = ToolProgram.Tool(
        name: "tsdb", help: "Checks, mends and lists what a data folder holds."
    ) { arguments in
        TSDBTool(
            files: LocalFileSystem(), output: StandardStream.output, error: StandardStream.error
        ).run(arguments)
    }

    private static let convert = "convert"

    private static let commands = [
        Command(
            name: "verify", help: "Reads everything and names what is damaged; changes nothing."
        ) {
            (tool, arguments) throws(StorageError) in try tool.verify(arguments.folder)
        },
        Command(
            name: "repair",
            help: "Sets damaged parts aside so that a server can start; deletes nothing."
        ) { (tool, arguments) throws(StorageError) in try tool.repair(arguments.folder) },
        Command(name: "list", help: "Lists the blocks.") {
            (tool, arguments) throws(StorageError) in try tool.list(arguments.folder)
        },
        Command(
            name: convert,
            help: "Writes the blocks of a folder, or one block, anew: --to xor, xor2 or dense."
        ) { (tool, arguments) throws(StorageError) in try tool.convert(arguments) },
    ]

    private static var help: String {
        let width = (commands.map(\.name.count).max() ?? 0) + 2
        let lines = commands.map { command in
            let gap = String(repeating: " ", count: width - command.name.count)
            return "  \(command.name)\(gap)\(command.help)\n"
        }
        return """
            usage: narthex tool tsdb <command> <data folder> [--to xor|xor2|dense]

            Exits with 0 where all is well, with 1 where something is damaged or fails, with 2 where
            the arguments are wrong.

            Commands:
            \(lines.joined())
            """
    }

    package func run(_ arguments: [String]) -> Int32 {
        guard let name = arguments.first, name != "--help", name != "-h" else {
            output(Self.help)
            return arguments.isEmpty ? 2 : 0
        }
        guard let command = Self.commands.first(where: { $0.name == name }) else {
            error("narthex tool tsdb: there is no command '\(name)'\n\n\(Self.help)")
            return 2
        }
        let wantsEncoding = name == Self.convert
        guard let parsed = Arguments(arguments.dropFirst(), wantsEncoding: wantsEncoding) else {
            let question =
                wantsEncoding ? "which folder, and --to which encoding?" : "which folder?"
            error("narthex tool tsdb \(name): \(question)\n\n\(Self.help)")
            return 2
        }
        do throws(StorageError) {
            return try command.run(self, parsed)
        } catch {
            self.error("narthex tool tsdb \(name): \(error.message)\n")
            return 1
        }
    }

    // MARK: Commands

    private func verify(_ folder: String) throws(StorageError) -> Int32 {
        let report = try FolderVerification.run(folder, files)
        for finding in report.findings { output("\(finding)\n") }
        let damage = report.findings.count { $0.kind == .damage }
        output(
            "read \(report.blocks) blocks (\(report.series) series, \(report.chunks) chunks, "
                + "\(report.samples) samples), \(report.segments) log segments "
                + "(\(report.records) records), \(report.headChunks) head chunks: "
                + (damage == 0 ? "no damage\n" : "damage in \(damage) places\n"))
        return report.isSound ? 0 : 1
    }

    private func repair(_ folder: String) throws(StorageError) -> Int32 {
        let actions = try FolderRepair.run(folder, files, time: currentMilliseconds())
        for action in actions { output("\(action)\n") }
        if actions.isEmpty { output("nothing to repair\n") }
        return try verify(folder)
    }

    private func convert(_ arguments: Arguments) throws(StorageError) -> Int32 {
        guard let target = arguments.target else { return 2 }
        var count = 0
        let isComplete = try BlockConversion.run(
            arguments.folder, to: target, files, time: currentMilliseconds()
        ) { line in
            count += 1
            output(line + "\n")
        }
        if count == 0 { output("everything is in this encoding\n") }
        return isComplete ? 0 : 1
    }

    private func list(_ folder: String) throws(StorageError) -> Int32 {
        let found = try BlockList(folder, files)
        let header = [
            "BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS",
            "NUM SERIES",
            "SIZE",
        ]
        let rows =
            [header]
            + found.blocks.map { meta, byteCount in
                let counts = meta.statistics
                return [
                    "\(meta.id)", "\(meta.range.start)", "\(meta.range.end)",
                    goDuration(meta.range.end - meta.range.start), "\(counts.samples)",
                    "\(counts.chunks)", "\(counts.series)", "\(byteCount)",
                ]
            }
        let widths = header.indices.map { column in
            (rows.map { $0[column].count }.max() ?? 0) + 2
        }
        for row in rows {
            let cells = zip(row, widths).map { text, width in
                text + String(repeating: " ", count: width - text.count)
            }
            output(String(cells.joined().reversed().drop { $0 == " " }.reversed()) + "\n")
        }
        for (id, reason) in found.damaged { error("\(id): \(reason)\n") }
        return found.damaged.isEmpty ? 0 : 1
    }
}

/// A duration as Go prints it: `2h0m0s`.
private func goDuration(_ milliseconds: Int64) -> String {
    let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    let fraction = rest == 0 ? "" : "." + String(1000 + rest).dropFirst()
    var text = "\(seconds % 60)\(fraction)s"
    if seconds >= 60 { text = "\(seconds / 60 % 60)m" + text }
    if seconds >= 3600 { text = "\(seconds / 3600)h" + text }
    return text
}
