// SPDX-License-Identifier: Apache-2.0

import PrometheusServer
import Testing

private let prefix = "Error parsing command line arguments: "

@Suite struct CommandLineTests {
    @Test(
        "What makes no sense is refused in upstream's words with its exit codes",
        arguments: [
            (["--bad"], 1, "unknown long flag '--bad'\nnarthex: error: unknown long flag '--bad'"),
            (["-x"], 1, "unknown short flag '-x'\nnarthex: error: unknown short flag '-x'"),
            (["extra"], 1, "unexpected extra\nnarthex: error: unexpected extra"),
            (
                ["--config.file"], 1,
                "expected argument for flag '--config.file'\nnarthex: error: expected argument for "
                    + "flag '--config.file'"
            ),
            (
                ["--web.enable-lifecycle=true"], 1,
                "unexpected true\nnarthex: error: unexpected true"
            ),
            (
                ["--web.max-connections=x"], 2,
                "strconv.ParseFloat: parsing \"x\": invalid syntax"
            ),
            (
                ["--storage.tsdb.retention.time=1q"], 2, "unknown unit \"q\" in duration \"1q\""
            ),
            (["--query.timeout=5"], 2, "not a valid duration string: \"5\""),
            (["--storage.tsdb.retention.size=5"], 2, "units: unknown unit  in 5"),
            (["--log.level=foo"], 2, "unrecognized log level foo"),
            (
                ["--storage.tsdb.wal-compression-type=foo"], 2,
                "enum value must be one of snappy,zstd, got 'foo'"
            ),
            (
                ["--query.max-concurrency=1", "--query.max-concurrency", "2"], 2,
                "flag 'query.max-concurrency' cannot be repeated"
            ),
            (
                ["--query.max-memory=101%"], 2,
                "\"101%\" is neither a size nor a share of the memory in percent"
            ),
            (["--agent"], 2, "flag '--agent' is not supported yet by this version of Narthex"),
        ] as [([String], Int32, String)])
    func refusals(arguments: [String], code: Int32, message: String) {
        let exit = ServerProgram.exit(arguments, program: "narthex")
        #expect(exit?.code == code)
        #expect(exit?.error == "\(prefix)\(message)\n")
        #expect(exit?.output.isEmpty == (code == 1))
    }

    @Test(
        "What contradicts itself later has exit codes of its own",
        arguments: [
            (
                ["--storage.agent.path=x"], 3,
                "The following flag(s) can only be used in agent mode: [\"--storage.agent.path\"]\n"
            ),
            (
                ["--web.cors.origin=("], 2,
                "could not compile CORS regex string \"(\": error parsing regexp: missing closing ): "
                    + "`^(?s:()$`\n"
            ),
            (
                ["--web.external-url='http://x'"], 2,
                "parse external URL \"'http://x'\": URL must not begin or end with quotes\n"
            ),
        ] as [([String], Int32, String)])
    func contradictions(arguments: [String], code: Int32, message: String) {
        let exit = ServerProgram.exit(arguments, program: "narthex")
        #expect(exit?.error == message)
        #expect(exit?.code == code)
    }

    @Test(
        "Upstream's usual lines are taken",
        arguments: [
            [], ["--config.file=a.yml", "--storage.tsdb.path", "/data"],
            ["--web.listen-address=:1", "--web.listen-address=:2"],
            ["--no-web.enable-lifecycle", "--web.enable-admin-api"],
            ["--storage.tsdb.retention.time=100y", "--storage.tsdb.retention.size=1GB"],
            ["--query.max-samples=5e7", "--enable-feature=a,b", "--enable-feature=c"],
            ["--query.max-memory=512MiB", "--query.max-memory-total=75.5%"],
            ["--query.max-memory=0", "--query.max-memory-total=0"],
            ["--web.console.templates=/etc/consoles", "--storage.tsdb.wal-compression"],
        ])
    func accepted(arguments: [String]) {
        #expect(ServerProgram.exit(arguments, program: "narthex") == nil)
    }

    @Test("Help names every flag that is not hidden, in 80 columns")
    func help() throws {
        let help = try #require(ServerProgram.exit(["--help"], program: "prometheus")).output
        #expect(help.hasPrefix("usage: prometheus [<flags>]\n"))
        #expect(help.contains("\n      --query.timeout=2m         How long a query may take."))
        #expect(help.contains("\n      --[no-]web.enable-lifecycle  \n                     "))
        #expect(!help.contains("samples-per-chunk"))
        let sentences = help.split(separator: "\n").filter { $0.hasPrefix("       ") }
        #expect(sentences.allSatisfy { $0.count <= 80 })
    }
}
