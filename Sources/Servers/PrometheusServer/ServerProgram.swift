// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// The monitoring server as a program: its command line, its exit codes, its life.
package enum ServerProgram {
    package static let version = "0.1.0"
    /// The release of Prometheus whose behaviour is followed.
    package static let prometheusVersion = "3.14.0"

    /// What a command line comes to that does not lead to a running server.
    package struct Exit: Error, Sendable, Hashable {
        package var output = ""
        package var error = ""
        package var code: Int32 = 0
    }

    /// Runs the server until it is told to end. `program` is the name it was called by. Returns the
    /// exit code.
    package static func run(_ arguments: [String], program: String) -> Int32 {
        do throws(Exit) {
            return Server.run(try options(arguments, program))
        } catch {
            StandardStream.error(error.error)
            StandardStream.output(error.output)
            return error.code
        }
    }

    /// How a command line ends the program before it starts; nil where the server would run.
    package static func exit(_ arguments: [String], program: String) -> Exit? {
        do throws(Exit) {
            _ = try options(arguments, program)
            return nil
        } catch {
            return error
        }
    }

    private static func options(
        _ arguments: [String], _ program: String
    ) throws(Exit) -> ServerOptions {
        let flags: ParsedFlags
        do throws(ParsedFlags.Failure) {
            flags = try ParsedFlags(arguments)
        } catch {
            throw refusal(error, program)
        }
        switch flags.request {
        case .help: throw Exit(output: FlagHelp.text(program: program))
        case .version: throw Exit(output: versionText)
        case .run: break
        }
        do throws(ServerOptions.Failure) {
            return try ServerOptions(flags)
        } catch {
            switch error {
            case .refused(let message, let code): throw Exit(error: message + "\n", code: code)
            }
        }
    }

    private static let versionText =
        "narthex, version \(version) (behaves as prometheus, version \(prometheusVersion))\n"

    private static func refusal(_ failure: ParsedFlags.Failure, _ program: String) -> Exit {
        let prefix = "Error parsing command line arguments: "
        switch failure {
        case .usage(let message):
            return Exit(
                error: "\(prefix)\(message)\n\(program): error: \(message)\n", code: 1)
        case .value(let message):
            return Exit(
                output: FlagHelp.text(program: program), error: "\(prefix)\(message)\n", code: 2)
        }
    }
}
