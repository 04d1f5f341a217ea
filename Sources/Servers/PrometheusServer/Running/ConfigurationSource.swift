// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// Where the configuration comes from: the file, or the built-in default where there is no file and
/// none was asked for.
struct ConfigurationSource: Sendable {
    let path: String
    let isFileGiven: Bool
    let listenAddress: String
    let file: ConfigurationFile
    let fileSystem: any FileSystem

    init(_ options: ServerOptions, _ fileSystem: any FileSystem) {
        path = options.configurationFile
        isFileGiven = options.isConfigurationFileGiven
        listenAddress = options.web.listenAddresses[0]
        file = ConfigurationFile(fileSystem: fileSystem, flags: options.storage.retention)
        self.fileSystem = fileSystem
    }

    /// Whether the built-in default is what counts.
    var isBuiltIn: Bool {
        guard !isFileGiven else { return false }
        do {
            return try fileSystem.status(of: path) == nil
        } catch {
            // What cannot be looked at is there; reading it will say why it cannot be read.
            return false
        }
    }

    func load() throws(ConfigurationError) -> Configuration {
        guard isBuiltIn else { return try file.load(path) }
        let text = DefaultConfiguration.text(watching: listenAddress)
        return try file.load(Array(text.utf8), name: "the built-in configuration", in: ".")
    }
}
