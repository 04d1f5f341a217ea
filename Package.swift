// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
//
// The picture of Narthex: its layers from the ground up, each module with the modules it uses.
// A module may use only modules of lower layers; the manifest refuses anything else.

import PackageDescription

let architecture: KeyValuePairs<String, KeyValuePairs<String, [String]>> = [
    "Shims": [
        "CAllocator": [], "CPlatform": [], "CRE2": [], "CCompression": [], "CYAML": [],
    ],
    "Ground": [
        "Bytes": ["CPlatform"],
        "Platform": ["CPlatform"],
        "LinearRegex": ["CRE2"],
    ],
    "Carriers": [
        "YAML": ["CYAML", "Bytes"],
        "JSON": ["Bytes"],
        "Protobuf": ["Bytes"],
        "Compression": ["CCompression", "Bytes"],
    ],
    "Transport": [
        "HTTP": ["Bytes", "Platform", "Compression"],
        "ScrapeClient": ["Bytes", "Platform", "Compression", "CPlatform"],
    ],
    "Model": [
        "Model": ["Bytes", "LinearRegex"]
    ],
    "Languages": [
        "ChunkEncoding": ["Bytes", "Model"],
        "Exposition": ["Bytes", "Model"],
        "PromQLSyntax": ["Bytes", "JSON", "LinearRegex", "Model"],
        "Relabeling": ["Bytes", "LinearRegex", "Model", "YAML"],
        "RemoteProtocol": ["Bytes", "Compression", "Model", "Protobuf"],
        "Settings": ["Model", "YAML"],
    ],
    "Contracts": [
        "Storage": ["Bytes", "Model"],
        "Instrumentation": ["Bytes", "Model", "Platform"],
    ],
    "Engines": [
        "TSDB": [
            "Bytes", "CPlatform", "ChunkEncoding", "Compression", "Instrumentation", "JSON",
            "LinearRegex",
            "Model", "Platform", "Storage",
        ],
        "PromQL": [
            "Bytes", "Instrumentation", "LinearRegex", "Model", "Platform", "PromQLSyntax",
            "Storage",
        ],
        "Discovery": [
            "Bytes", "Instrumentation", "JSON", "Model", "Platform", "Settings", "YAML",
        ],
    ],
    "Services": [
        "PromQLScripts": [
            "Bytes", "LinearRegex", "Model", "PromQL", "PromQLSyntax", "Storage",
        ],
        "Scraping": [
            "Bytes", "Compression", "Discovery", "Exposition", "Instrumentation", "Model",
            "Platform", "Relabeling", "ScrapeClient", "Settings", "Storage", "YAML",
        ],
    ],
    "Interfaces": [
        "NarthexPromQL": [
            "Instrumentation", "Model", "PromQL", "PromQLScripts", "PromQLSyntax", "Storage",
        ],
        "PrometheusAPI": [
            "Bytes", "Compression", "HTTP", "Instrumentation", "JSON", "LinearRegex", "Model",
            "Platform", "PromQL", "PromQLSyntax", "RemoteProtocol", "Storage",
        ],
    ],
    "Servers": [
        "PrometheusServer": [
            "Bytes", "ChunkEncoding", "Discovery", "HTTP", "Instrumentation", "JSON",
            "LinearRegex", "Model", "Platform", "PromQL", "PromQLSyntax", "PrometheusAPI",
            "Relabeling", "ScrapeClient", "Scraping", "Settings", "Storage", "TSDB", "YAML",
        ],
        "Tools": [
            "Bytes", "Instrumentation", "JSON", "Model", "Platform", "PromQL", "PromQLScripts",
            "PromQLSyntax", "ScrapeClient", "Storage", "TSDB",
        ],
    ],
    "Program": [
        "narthex": ["CAllocator", "PrometheusServer", "Tools", "Platform"]
    ],
]

/// Each foreign package enters by one gate.
let foreign: [String: [Target.Dependency]] = [
    "HTTP": [
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
    ]
]

/// The native libraries that the C shims link, by their Debian names.
let nativeLibraries: [String: [String]] = [
    "CAllocator": ["jemalloc"],
    "CRE2": ["re2", "stdc++"],
    "CCompression": ["deflate", "zstd", "z"],
    "CYAML": ["yaml"],
]

let houseRules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

// `NARTHEX_ONLY=TSDB,PromQL swift test` builds those modules, what they stand on, and their tests.
var wanted: Set<String>? = Context.environment["NARTHEX_ONLY"].map {
    Set($0.split(separator: ",").map(String.init))
}
@MainActor func isWanted(_ name: String) -> Bool { wanted?.contains(name) ?? true }

var uses: [String: [String]] = [:]
for (_, modules) in architecture { for (name, used) in modules { uses[name] = used } }
let tests: KeyValuePairs<String, [String]> = [
    "BytesTests": ["Bytes"],
    "PlatformTests": ["Platform", "Bytes"],
    "LinearRegexTests": ["LinearRegex"],
    "YAMLTests": ["YAML"],
    "JSONTests": ["JSON", "Bytes"],
    "ProtobufTests": ["Protobuf", "Bytes"],
    "CompressionTests": ["Compression", "Bytes"],
    "HTTPTests": ["HTTP", "Bytes", "Compression"],
    "ScrapeClientTests": ["ScrapeClient", "Bytes", "Compression", "Platform"],
    "ModelTests": ["Model", "Bytes"],
    "ChunkEncodingTests": ["ChunkEncoding", "Bytes", "Model"],
    "ExpositionTests": ["Exposition", "Bytes", "Model"],
    "PromQLSyntaxTests": ["PromQLSyntax", "JSON", "Model"],
    "RelabelingTests": ["Relabeling", "Model", "YAML"],
    "RemoteProtocolTests": ["RemoteProtocol", "Bytes", "Model", "Protobuf"],
    "SettingsTests": ["Settings", "YAML"],
    "StorageTests": ["Storage", "Bytes", "Model"],
    "InstrumentationTests": ["Instrumentation", "Bytes", "Model"],
    "TSDBTests": [
        "TSDB", "Bytes", "ChunkEncoding", "Instrumentation", "LinearRegex", "Model", "Platform",
        "Storage",
    ],
    "PromQLTests": [
        "PromQL", "PromQLScripts", "PromQLSyntax", "Bytes", "CAllocator", "Instrumentation",
        "Model", "Platform", "Storage",
    ],
    "PromQLScriptsTests": [
        "PromQLScripts", "EngineFuzzing", "Instrumentation", "Model", "Platform", "PromQL",
        "PromQLSyntax", "RandomQueries", "Storage",
    ],
    "DiscoveryTests": ["Discovery", "Instrumentation", "Model", "Platform", "YAML"],
    "ScrapingTests": [
        "Scraping", "Bytes", "Discovery", "Exposition", "Instrumentation", "Model", "Platform",
        "Relabeling", "ScrapeClient", "Settings", "Storage", "YAML",
    ],
    "PrometheusAPITests": [
        "PrometheusAPI", "Bytes", "Compression", "HTTP", "Instrumentation", "JSON", "LinearRegex",
        "Model", "PromQL", "Storage",
    ],
    "NarthexPromQLTests": ["NarthexPromQL", "CAllocator"],
    "ToolsTests": ["Tools", "JSON", "Platform"],
    "PrometheusServerTests": [
        "PrometheusServer", "Bytes", "Instrumentation", "Model", "Platform", "YAML",
    ],
    "SimulationTests": ["Simulation", "Instrumentation", "Model", "Platform", "Storage", "TSDB"],
    "RepositoryTests": [],
]

/// What the simulation of the storage stands on (Tests/Simulation).
let simulated = ["Instrumentation", "Model", "Platform", "Storage", "TSDB"]

/// The modules whose decoders are fuzzed.
let fuzzed = [
    "Bytes", "ChunkEncoding", "Compression", "EngineFuzzing", "Exposition", "Instrumentation",
    "JSON", "Model", "Platform", "PromQLSyntax", "RandomQueries", "RemoteProtocol", "ScrapeClient",
    "Simulation", "Storage", "TSDB", "YAML",
]
/// What tests, fuzzing and comparisons share.
let support: KeyValuePairs<String, [String]> = [
    "RandomQueries": [],
    "EngineFuzzing": [
        "Instrumentation", "Model", "PromQL", "PromQLScripts", "PromQLSyntax", "Storage",
    ],
]
for (name, used) in support { uses[name] = used }

if let named = wanted {
    var open = Array(named)
    if !named.isDisjoint(with: ["Fuzz", "FuzzTests"]) { open += fuzzed }
    if !named.isDisjoint(with: ["Simulation", "Simulate"]) {
        open += simulated
        wanted?.formUnion(["Simulation", "Simulate", "SimulationTests"])
    }
    if named.contains("Differential") { open += ["RandomQueries"] }
    if named.contains("QueryBenchmark") { open += ["PromQL"] }
    if named.contains("ScrapeBenchmark") { open += ["Scraping", "TSDB"] }
    for (test, used) in tests where named.contains(test) { open += used }
    for (test, used) in tests
    where test.hasSuffix("Tests") && named.contains(String(test.dropLast(5))) {
        open += used
        wanted?.insert(test)
    }
    while let next = open.popLast() {
        wanted?.insert(next)
        open += (uses[next] ?? []).filter { !isWanted($0) }
    }
}

var targets: [Target] = []
var below: Set<String> = []
for (layer, modules) in architecture {
    for (name, used) in modules {
        for module in used where !below.contains(module) {
            fatalError("\(name) must not use \(module): it is not in a lower layer")
        }
        let dependencies =
            used.map { Target.Dependency.target(name: $0) } + foreign[name, default: []]
        let path = "Sources/\(layer)/\(name)"
        let libraries = nativeLibraries[name, default: []].map { LinkerSetting.linkedLibrary($0) }
        if !isWanted(name) { continue }
        if layer == "Shims" {
            targets.append(.target(name: name, path: path, linkerSettings: libraries))
        } else if layer == "Program" {
            targets.append(
                .executableTarget(
                    name: name, dependencies: dependencies, path: path, swiftSettings: houseRules))
        } else {
            targets.append(
                .target(
                    name: name, dependencies: dependencies, path: path, swiftSettings: houseRules))
        }
    }
    below.formUnion(modules.map(\.key))
}
for (name, used) in tests where isWanted(name) {
    targets.append(
        .testTarget(
            name: name, dependencies: used.map { .target(name: $0) }, path: "Tests/\(name)",
            swiftSettings: [.swiftLanguageMode(.v6)]))
}
// The library of the simulation, its tests, and the program that runs many seeds.
if isWanted("Simulation") {
    targets.append(
        .target(
            name: "Simulation", dependencies: simulated.map { .target(name: $0) },
            path: "Tests/Simulation", swiftSettings: [.swiftLanguageMode(.v6)]))
}
if isWanted("Simulate") {
    targets.append(
        .executableTarget(
            name: "Simulate", dependencies: ["Simulation"], path: "Tests/Simulate",
            swiftSettings: [.swiftLanguageMode(.v6)]))
}
// Benchmarks are built only when they are asked for by name.
if wanted?.contains("QueryBenchmark") ?? false {
    targets.append(
        .executableTarget(
            name: "QueryBenchmark",
            dependencies: ["PromQL", "Storage", "Model", "Instrumentation"],
            path: "Benchmarks/QueryBenchmark", swiftSettings: [.swiftLanguageMode(.v6)]))
}
if isWanted("Conformance") {
    targets.append(
        .executableTarget(
            name: "Conformance",
            dependencies: uses.keys.sorted()
                .filter { isWanted($0) && $0 != "narthex" && !support.map(\.key).contains($0) }
                .map { .target(name: $0) },
            path: "Tests/Conformance", swiftSettings: [.swiftLanguageMode(.v6)]))
}
if wanted?.contains("ScrapeBenchmark") ?? false {
    targets.append(
        .executableTarget(
            name: "ScrapeBenchmark",
            dependencies: [
                "Discovery", "Instrumentation", "Model", "Platform", "ScrapeClient", "Scraping",
                "Storage", "TSDB", "YAML",
            ],
            path: "Benchmarks/Scrape", swiftSettings: [.swiftLanguageMode(.v6)]))
}
if wanted?.contains("HeadBenchmark") ?? false {
    targets.append(
        .executableTarget(
            name: "HeadBenchmark",
            dependencies: ["Instrumentation", "Model", "Platform", "Storage", "TSDB"],
            path: "Benchmarks/Head", swiftSettings: [.swiftLanguageMode(.v6)]))
}
if wanted?.contains("BlockBenchmark") ?? false {
    targets.append(
        .executableTarget(
            name: "BlockBenchmark",
            dependencies: ["Bytes", "ChunkEncoding", "Model", "Platform", "Storage", "TSDB"],
            path: "Benchmarks/Blocks", swiftSettings: [.swiftLanguageMode(.v6)]))
}
for (name, used) in support where isWanted(name) {
    targets.append(
        .target(
            name: name, dependencies: used.map { .target(name: $0) }, path: "Tests/\(name)",
            swiftSettings: [.swiftLanguageMode(.v6)]))
}
if isWanted("Differential") {
    targets.append(
        .executableTarget(
            name: "Differential", dependencies: ["RandomQueries"], path: "Tests/Differential",
            swiftSettings: [.swiftLanguageMode(.v6)]))
}
// `Fuzz/run` builds the program, with the sanitizers; the tests run each target for a moment.
if wanted?.contains("Fuzz") == true {
    targets.append(
        .executableTarget(
            name: "Fuzz", dependencies: fuzzed.map { .target(name: $0) }, path: "Fuzz",
            exclude: ["run", "keep", "Corpora", "Tests"], swiftSettings: [.swiftLanguageMode(.v6)],
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
} else if isWanted("FuzzTests") {
    targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed.map { .target(name: $0) }, path: "Fuzz",
            exclude: ["run", "keep", "Corpora", "Program"],
            swiftSettings: [.swiftLanguageMode(.v6)]))
}

var products: [Product] = []
if isWanted("narthex") {
    products.append(.executable(name: "narthex", targets: ["narthex"]))
}
// The modules that other packages may use: all that is public in Narthex.
for library in ["NarthexPromQL"] where isWanted(library) {
    products.append(.library(name: library, targets: [library]))
}

let package = Package(
    name: "narthex",
    products: products,
    dependencies: [
        ("HTTP", .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"))
    ].filter { (gate: String, _: Package.Dependency) in isWanted(gate) }.map(\.1),
    targets: targets,
    cxxLanguageStandard: .cxx17
)
