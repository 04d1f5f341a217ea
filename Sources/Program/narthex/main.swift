// SPDX-License-Identifier: Apache-2.0
//
// One program, several roles: by its first argument, or by the name it was called under.

import Platform
import PrometheusServer
import Tools

// Before there is any other thread, so that all inherit it.
Signals.prepare()

let name = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "narthex"
let arguments = Array(CommandLine.arguments.dropFirst())

let tools = [
    ToolProgram.Tool(
        name: "default-config", help: "Prints the configuration that counts where there is none."
    ) { _ in
        StandardStream.output(DefaultConfiguration.text())
        return 0
    }
]

let status: Int32 =
    switch (name, arguments.first) {
    case ("narthex", "server"): ServerProgram.run(Array(arguments.dropFirst()), program: name)
    case ("narthex", "tool"): ToolProgram.run(Array(arguments.dropFirst()), others: tools)
    default: ServerProgram.run(arguments, program: name)
    }
Process.exit(status)
