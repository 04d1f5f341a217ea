// SPDX-License-Identifier: Apache-2.0

internal import Model
package import Platform
internal import Scraping
internal import Settings
internal import YAML

/// Why no configuration could be had from the files.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package var description: String
}

/// Reads a configuration with all the files it includes.
package struct ConfigurationFile: Sendable {
    let fileSystem: any FileSystem
    let flags: Retention
    let environment: @Sendable (String) -> String?

    init(
        fileSystem: any FileSystem, flags: Retention,
        environment: @escaping @Sendable (String) -> String? = { Environment.variable($0) }
    ) {
        self.fileSystem = fileSystem
        self.flags = flags
        self.environment = environment
    }

    /// For tools that look at files only.
    package init(
        fileSystem: any FileSystem,
        environment: @escaping @Sendable (String) -> String? = { Environment.variable($0) }
    ) {
        self.init(fileSystem: fileSystem, flags: .standard, environment: environment)
    }

    /// Reads the file at `path`. `name` is what messages call it.
    package func load(
        _ path: String, name: String? = nil
    ) throws(ConfigurationError) -> Configuration {
        let bytes: [UInt8]
        do {
            bytes = try fileSystem.contents(of: path)
        } catch {
            throw ConfigurationError(description: error.description)
        }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return try load(bytes, name: name ?? path, in: directory.isEmpty ? "/" : directory)
    }

    /// Reads a configuration from memory, as if it stood in a file of `directory`.
    package func load(
        _ bytes: [UInt8], name: String, in directory: String
    ) throws(ConfigurationError) -> Configuration {
        var configuration: Configuration
        do throws(YAMLError) {
            let root = try YAMLNode(parsing: bytes)
            configuration = try Configuration(
                root, in: directory, flags: flags, environment: environment)
        } catch {
            throw ConfigurationError(description: error.inFile(name).description)
        }
        try include(&configuration)
        return configuration
    }

    private func include(_ configuration: inout Configuration) throws(ConfigurationError) {
        var places: [String: String] = [:]
        for job in configuration.ownJobs { places[job.jobName] = "main config file" }
        for pattern in configuration.scrapeConfigurationFiles {
            for path in fileSystem.paths(matching: pattern) {
                let name = quoted(Environment.absolute(path))
                for job in try jobs(in: path, named: name, configuration.global.scraping) {
                    if let place = places[job.jobName] {
                        throw ConfigurationError(
                            description: "\(name): found multiple scrape configs with job name "
                                + "\(quoted(job.jobName)), first found in \(place)")
                    }
                    places[job.jobName] = name
                    configuration.includedJobs.append(job)
                }
            }
        }
    }

    private func jobs(
        in path: String, named name: String, _ defaults: ScrapeDefaults
    ) throws(ConfigurationError) -> [ScrapeConfiguration] {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        do {
            let bytes = try fileSystem.contents(of: path)
            guard let root = try YAMLNode(parsing: bytes) else { return [] }
            var fields = try YAMLMapping(root, "config.ScrapeConfigs")
            let jobs = try fields.list(
                "scrape_configs", "[]*config.ScrapeConfig"
            ) { node throws(YAMLError) in
                try ScrapeConfiguration(node, defaults, in: directory)
            }
            try fields.finish()
            return jobs
        } catch let error as YAMLError {
            throw ConfigurationError(description: "\(name): \(error.text)")
        } catch {
            throw ConfigurationError(description: "\(name): \(error)")
        }
    }
}
