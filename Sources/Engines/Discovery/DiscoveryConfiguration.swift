// SPDX-License-Identifier: Apache-2.0

internal import Settings
package import YAML

/// Where one section's targets come from.
package enum DiscoveryConfiguration: Sendable, Hashable {
    /// Groups that are written in the configuration itself.
    case fixed([TargetGroup])
    case file(FileDiscoveryConfiguration)

    /// The mechanisms of upstream that are not built yet, by their section.
    private static let absent = [
        "aws", "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2",
        "elasticache", "eureka", "gce", "hetzner", "http", "ionos", "kubernetes", "kuma",
        "lightsail", "linode", "marathon", "msk", "nerve", "nomad", "oci", "openstack",
        "outscale", "ovhcloud", "puppetdb", "rds", "scaleway", "serverset", "stackit", "triton",
        "uyuni", "vultr",
    ]

    /// Takes all sections about discovery from among the fields of a scrape configuration.
    package static func list(
        _ fields: inout YAMLMapping, in directory: String
    ) throws(YAMLError) -> [DiscoveryConfiguration] {
        var configurations = try fields.list(
            "file_sd_configs", "[]*file.SDConfig"
        ) { node throws(YAMLError) in
            guard !node.isNull else {
                throw node.invalid("empty or null section in file_sd_configs")
            }
            return DiscoveryConfiguration.file(
                try FileDiscoveryConfiguration(node, in: directory))
        }
        var groups: [TargetGroup] = []
        if let written = fields.take("static_configs") {
            for (index, node) in try written.elements("[]*targetgroup.Group").enumerated() {
                guard !node.isNull else {
                    throw node.invalid("empty or null section in static_configs")
                }
                groups.append(try TargetGroup(node, source: String(index)))
            }
        }
        if !groups.isEmpty { configurations.append(.fixed(groups)) }
        for mechanism in absent { try fields.refuse("\(mechanism)_sd_configs") }
        return configurations
    }

    /// The sections in upstream's marshalled form.
    package static func yaml(_ configurations: [DiscoveryConfiguration]) -> [(String, YAMLNode?)] {
        var files: [YAMLNode] = []
        var groups: [YAMLNode] = []
        for configuration in configurations {
            switch configuration {
            case .file(let file): files.append(file.yaml)
            case .fixed(let fixed): groups += fixed.map(\.yaml)
            }
        }
        return [
            ("static_configs", groups.isEmpty ? nil : .sequence(groups)),
            ("file_sd_configs", files.isEmpty ? nil : .sequence(files)),
        ]
    }
}
