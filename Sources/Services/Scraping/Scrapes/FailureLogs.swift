// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Instrumentation
internal import Platform
internal import Synchronization

/// The files that jobs want failed scrapes to be written to, a line of JSON each. One for each
/// path, however many jobs name it.
final class FailureLogs: Sendable {
    private let logs = Mutex<[String: FailureLog]>([:])
    private let fileSystem: any FileSystem
    private let log: Logger

    init(_ fileSystem: any FileSystem, _ log: Logger) {
        self.fileSystem = fileSystem
        self.log = log
    }

    /// The log at a path; nil for an empty one.
    func log(at path: String) -> FailureLog? {
        if path.isEmpty { return nil }
        return logs.withLock { logs in
            if let known = logs[path] { return known }
            let made = FailureLog(path, fileSystem, log)
            logs[path] = made
            return made
        }
    }

    /// Opens all files anew, for they may have been moved away; forgets those that no job names.
    func reopen(keeping paths: Set<String>) {
        let kept = logs.withLock { logs in
            logs = logs.filter { paths.contains($0.key) }
            return Array(logs.values)
        }
        for log in kept { log.reopen() }
    }
}

/// A file that grows by a line for each failed scrape.
final class FailureLog: Sendable {
    private struct State {
        var file: (any OpenFile)?
        var size = 0
    }

    private let path: String
    private let fileSystem: any FileSystem
    private let log: Logger
    private let state = Mutex(State())

    init(_ path: String, _ fileSystem: any FileSystem, _ log: Logger) {
        self.path = path
        self.fileSystem = fileSystem
        self.log = log
        reopen()
    }

    func reopen() {
        state.withLock { state in
            do throws(FileError) {
                let file = try fileSystem.open(path, .readWrite)
                state = State(file: file, size: try file.size())
            } catch {
                state = State()
                log.error("Cannot open the log of scrape failures", ["err": error.description])
            }
        }
    }

    func write(_ message: String, job: String, target: String) {
        let logger = Logger(level: .error, format: .json) { line in self.append(line) }
        logger.with(["job_name": job, "target": target]).error(message)
    }

    private func append(_ line: String) {
        let bytes = Array((line.hasSuffix("\n") ? line : line + "\n").utf8)
        state.withLock { state in
            do throws(FileError) {
                try state.file?.write(bytes.raw, at: state.size)
                state.size += bytes.count
            } catch {
                // One complaint, and no more writes until the file is opened anew.
                state.file = nil
                log.error("Cannot write to the log of scrape failures", ["err": error.description])
            }
        }
    }
}
