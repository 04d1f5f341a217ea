// SPDX-License-Identifier: Apache-2.0

import Bytes
import Instrumentation
import Model
import Platform
import ScrapeClient
import Scraping
import Settings
import Synchronization
import YAML

/// Remembers who is to be scraped; scrapes nobody.
final class FakeScheduler: ScrapeScheduler {
    struct Scheduled {
        var request: ScrapeRequest
        var interval: Milliseconds
        var phase: Milliseconds
        var target: ScrapedTarget
    }

    private let scheduled = Mutex<[ScrapeTargetHandle: Scheduled]>([:])
    private let next = Atomic<UInt64>(0)

    func add(
        _ request: ScrapeRequest, every interval: Milliseconds, phase: Milliseconds,
        _ responder: any ScrapeResponder
    ) -> ScrapeTargetHandle {
        let handle = ScrapeTargetHandle(id: next.add(1, ordering: .relaxed).newValue)
        let entry = Scheduled(
            request: request, interval: interval, phase: phase,
            target: responder as! ScrapedTarget)
        scheduled.withLock { $0[handle] = entry }
        return handle
    }

    func remove(_ handle: ScrapeTargetHandle, completion: @escaping @Sendable () -> Void) {
        scheduled.withLock { $0[handle] = nil }
        completion()
    }

    var all: [Scheduled] {
        scheduled.withLock { $0.values.sorted { $0.request.url < $1.request.url } }
    }
}

func configuration(_ yaml: String) throws -> ScrapeConfiguration {
    let node = try YAMLNode(parsing: yaml)!
    return try ScrapeConfiguration(node, ScrapeDefaults(), in: "/")
}
