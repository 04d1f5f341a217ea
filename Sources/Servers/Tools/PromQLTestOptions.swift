// SPDX-License-Identifier: Apache-2.0

internal import PromQL
internal import PromQLScripts
internal import PromQLSyntax

/// The arguments of `narthex tool promqltest`.
struct PromQLTestOptions: Sendable {
    enum Parsed: Sendable {
        case help
        case options(PromQLTestOptions)
        case refused(String)
    }

    var paths: [String] = []
    var configuration = ScriptRunner.configuration

    /// The features of the language by the names that the server knows them by too.
    private static let features: KeyValuePairs<String, @Sendable (inout Self, Bool) -> Void> = [
        "promql-binop-fill-modifiers": { $0.configuration.parser.fillModifiers = $1 },
        "promql-delayed-name-removal": { $0.configuration.delayedNameRemoval = $1 },
        "promql-duration-expr": { $0.configuration.parser.durationExpressions = $1 },
        "promql-experimental-functions": { $0.configuration.parser.experimentalFunctions = $1 },
        "promql-extended-range-selectors": {
            $0.configuration.parser.extendedRangeSelectors = $1
        },
        "type-and-unit-labels": { $0.configuration.typeAndUnitLabels = $1 },
        "use-start-timestamps": { $0.configuration.usesStartTimestamps = $1 },
    ]

    static var help: String {
        """
        usage: narthex tool promqltest [<flags>] <file>…

        Runs scripts of the test language of Prometheus' PromQL engine (load, eval, clear) and
        shows each query that does not hold, with what was expected and what came. Exits with 0
        where all hold, with 1 where one does not, with 2 where a file cannot be read.

        The engine is set as upstream's for scripts: every feature of the language is on except
        type-and-unit-labels, and a query may hold 10000 samples.

        Flags:
          --immediate-name-removal    Metric names are dropped in every operation, as servers do
                                      by default, not at the end of the query.
          --enable-feature=<name>,…   Turns features on.
          --disable-feature=<name>,…  Turns features off.

        Features:
        \(features.map { "  \($0.key)\n" }.joined())
        """
    }

    static func parse(_ arguments: [String]) -> Parsed {
        var options = PromQLTestOptions()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let name = argument.prefix { $0 != "=" }
            switch name {
            case "--help", "-h": return .help
            case "--immediate-name-removal" where name == argument:
                options.configuration.delayedNameRemoval = false
            case "--enable-feature", "--disable-feature":
                let inline = name == argument ? nil : String(argument.dropFirst(name.count + 1))
                guard let list = inline ?? rest.popFirst() else {
                    return .refused("expected argument for flag '\(name)'")
                }
                for feature in list.split(separator: ",").map(String.init) {
                    guard let found = features.first(where: { $0.key == feature }) else {
                        return .refused("unknown feature '\(feature)'")
                    }
                    found.value(&options, name == "--enable-feature")
                }
            case "--":
                options.paths += rest
                rest = []
            default:
                guard !argument.hasPrefix("-") else {
                    return .refused("unknown flag '\(argument)'")
                }
                options.paths.append(argument)
            }
        }
        return options.paths.isEmpty ? .refused("which scripts?") : .options(options)
    }
}
