// SPDX-License-Identifier: Apache-2.0
//
// Scrapes thousands of targets on one or two threads. Each thread owns an event queue (epoll), a
// timer wheel, its targets with their kept connections, and a pool of response buffers. A target at
// rest costs a few hundred bytes; a buffer is lent to it when its answer begins to arrive and taken
// back when the responder has seen the body, so that a handful serves all targets.
//
//     timer wheel ──due──▶ ScrapeLoop ──request──▶ socket
//                              ▲                      │ readiness
//     resolver ──addresses─────┤                      ▼
//     add, remove ──mailbox────┘      ResponseParser over ResponseBuffer ──▶ gunzip ──▶ responder
//
// Nothing on the event threads waits but the event queue itself. Names are resolved on threads of
// their own.

package import Platform

/// How the client is built.
package struct ScrapeClientConfiguration: Sendable, Hashable {
    /// Event threads.
    package var threads = 1
    /// Scrapes that are due at multiples of this begin when they are due, others within so much
    /// later. Milliseconds. Waking a thread costs more than a scrape, so that fewer ticks are
    /// cheaper: what is due together goes out together.
    package var tick: Int64 = 20
    /// The limit on a body where the request sets none.
    package var largestBody = 512 << 20

    package init() {}
}

/// Names a target of a client.
package struct ScrapeTargetHandle: Sendable, Hashable {
    let id: UInt64

    /// For what stands in for a client.
    package init(id: UInt64) { self.id = id }
}

/// The scrape client. Safe to use from any thread.
package final class ScrapeClient: Sendable {
    private let mailboxes: [Mailbox]
    private let threads: [SystemThread]
    private let resolver: Resolver
    private let nextID = Monitor<UInt64>(0)

    package init(_ configuration: ScrapeClientConfiguration = .init()) throws(FileError) {
        resolver = try Resolver()
        var mailboxes: [Mailbox] = []
        var threads: [SystemThread] = []
        for index in 0..<max(1, configuration.threads) {
            let mailbox = Mailbox(try EventQueue())
            let resolver = resolver
            threads.append(
                try SystemThread("scrape-\(index)") {
                    ScrapeLoop(configuration, mailbox, resolver).run()
                })
            mailboxes.append(mailbox)
        }
        self.mailboxes = mailboxes
        self.threads = threads
    }

    deinit {
        for mailbox in mailboxes { mailbox.post(.stop) }
    }

    /// Scrapes from now on at every time that is `phase` behind a multiple of `interval`
    /// (milliseconds since the Unix epoch), until `remove`.
    package func add(
        _ request: ScrapeRequest, every interval: Int64, phase: Int64,
        _ responder: any ScrapeResponder
    ) -> ScrapeTargetHandle {
        let id = nextID.withLock { next in
            next += 1
            return next
        }
        let schedule = Schedule(interval: max(1, interval), phase: phase)
        mailbox(of: id).post(.add(id, request, schedule, responder))
        return ScrapeTargetHandle(id: id)
    }

    /// Ends the scrapes of a target; one in flight is dropped. `completion` is called on the event
    /// thread, after which the responder is not called any more.
    package func remove(
        _ handle: ScrapeTargetHandle, completion: @escaping @Sendable () -> Void = {}
    ) {
        mailbox(of: handle.id).post(.remove(handle.id, completion))
    }

    private func mailbox(of id: UInt64) -> Mailbox {
        mailboxes[Int(id % UInt64(mailboxes.count))]
    }

    /// Drops all targets and returns when the threads have ended. Not to be called by a responder.
    package func close() {
        for mailbox in mailboxes { mailbox.post(.stop) }
        for thread in threads { thread.join() }
        resolver.close()
    }
}
