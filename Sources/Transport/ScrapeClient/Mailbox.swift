// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Synchronization

/// What other threads ask of an event thread.
enum Command: Sendable {
    case add(UInt64, ScrapeRequest, Schedule, any ScrapeResponder)
    case remove(UInt64, @Sendable () -> Void)
    case resolved(host: String, Result<[SocketAddress], ResolveError>)
    case stop
}

/// Commands on their way to an event thread, which sleeps on the queue until there are some.
final class Mailbox: Sendable {
    let events: EventQueue
    private let commands = Mutex<[Command]>([])

    init(_ events: EventQueue) { self.events = events }

    func post(_ command: Command) {
        commands.withLock { $0.append(command) }
        events.wake()
    }

    func takeAll() -> [Command] {
        commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
    }
}
