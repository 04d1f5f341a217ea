// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// What a person at a terminal is told once the server is ready.
enum Welcome {
    static func text(_ options: ServerOptions, _ configuration: ConfigurationSource) -> String {
        let addresses = options.web.listenAddresses.map { address in
            let host = address.hasPrefix("0.0.0.0:") || address.hasPrefix(":")
            let port = address.split(separator: ":").last ?? "9090"
            return host ? "http://localhost:\(port)" : "http://\(address)"
        }
        let prefix = options.web.routePrefix == "/" ? "" : options.web.routePrefix
        let url = (addresses.first ?? "http://localhost:9090") + prefix
        let config =
            configuration.isBuiltIn
            ? "built in (see it with: narthex tool default-config)"
            : Environment.absolute(options.configurationFile)
        let data = Environment.absolute(options.storage.path)
        return """

              Narthex \(ServerProgram.version) is ready.

                API       \(addresses.map { $0 + prefix }.joined(separator: "  "))
                data      \(data)
                config    \(config)

                Ask it something:
                  curl '\(url)/api/v1/query?query=up'

                Stop it with Ctrl-C; what it has is safe on disk.


            """
    }
}
