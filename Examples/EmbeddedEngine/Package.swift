// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "EmbeddedEngine",
    dependencies: [.package(name: "narthex", path: "../..")],
    targets: [
        .executableTarget(
            name: "EmbeddedEngine",
            dependencies: [.product(name: "NarthexPromQL", package: "narthex")])
    ])
