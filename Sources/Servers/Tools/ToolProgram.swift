// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// `narthex tool …`: small programs around the server.
package enum ToolProgram {
    package struct Tool: Sendable {
        var name: String
        var help: String
        var run: @Sendable (_ arguments: [String]) -> Int32

        package init(
            name: String, help: String, run: @escaping @Sendable ([String]) -> Int32
        ) {
            self.name = name
            self.help = help
            self.run = run
        }
    }

    private static let own: [Tool] = [PromQLTestTool.tool, QueryTool.tool, TSDBTool.tool]

    /// Runs the tool that the first argument names, with the rest. `others` are tools that belong
    /// to parts of the program which this module does not know.
    package static func run(_ arguments: [String], others: [Tool]) -> Int32 {
        let tools = (own + others).sorted { $0.name < $1.name }
        guard let name = arguments.first, name != "--help", name != "-h" else {
            StandardStream.output(help(tools))
            return arguments.isEmpty ? 2 : 0
        }
        guard let tool = tools.first(where: { $0.name == name }) else {
            StandardStream.error("narthex tool: there is no tool '\(name)'\n\n\(help(tools))")
            return 2
        }
        return tool.run(Array(arguments.dropFirst()))
    }

    private static func help(_ tools: [Tool]) -> String {
        let width = (tools.map(\.name.count).max() ?? 0) + 2
        let lines = tools.map { tool in
            "  \(tool.name)\(String(repeating: " ", count: width - tool.name.count))\(tool.help)\n"
        }
        return "usage: narthex tool <name> [<arguments>]\n\nTools:\n" + lines.joined()
    }
}
