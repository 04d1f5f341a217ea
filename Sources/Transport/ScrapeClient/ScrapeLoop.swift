// SPDX-License-Identifier: Apache-2.0

internal import Compression
internal import Platform

/// An event thread's work: waits for sockets, timers and commands, and carries every target from
/// one state to the next. All of it runs on the one thread; see `ScrapeLoop+Exchange` for the life
/// of a scrape.
final class ScrapeLoop {
    let configuration: ScrapeClientConfiguration
    let mailbox: Mailbox
    let resolver: Resolver
    var targets: [UInt64: ScrapeTarget] = [:]
    /// The targets that wait for the addresses of a host.
    var awaitingAddresses: [String: [UInt64]] = [:]
    var addresses = AddressCache()
    var buffers = BufferPool()
    /// Where gzip bodies are unpacked, one after the other.
    var unpacked: [UInt8] = []
    let gzip = GzipDecoder()
    var timers: TimerWheel
    private var grid: TickGrid
    private var isStopped = false

    init(_ configuration: ScrapeClientConfiguration, _ mailbox: Mailbox, _ resolver: Resolver) {
        self.configuration = configuration
        self.mailbox = mailbox
        self.resolver = resolver
        let now = monotonicNanoseconds()
        grid = TickGrid(
            milliseconds: configuration.tick, monotonic: now, wall: currentNanoseconds())
        timers = TimerWheel(at: grid.tick(at: now))
    }

    var events: EventQueue { mailbox.events }

    func run() {
        var events: [EventQueue.Event] = []
        var due: [Timer] = []
        while !isStopped {
            self.events.wait(milliseconds: timeToNextTimer(), into: &events)
            for event in events {
                if let target = targets[event.token] { handle(event.readiness, of: target) }
            }
            due.removeAll(keepingCapacity: true)
            let (now, wall) = (monotonicNanoseconds(), currentNanoseconds())
            grid.follow(monotonic: now, wall: wall)
            timers.advance(to: grid.tick(at: now), into: &due)
            for timer in due { fire(timer, now: Int64(clamping: wall / 1_000_000)) }
            for command in mailbox.takeAll() { obey(command) }
        }
        for target in targets.values { close(target) }
    }

    /// Milliseconds, for the event queue; -1 where no timer is set.
    private func timeToNextTimer() -> Int32 {
        guard let ticks = timers.ticksToNext else { return -1 }
        let next = grid.start(of: timers.current + ticks)
        let now = monotonicNanoseconds()
        return next <= now ? 0 : Int32(clamping: (next - now + 999_999) / 1_000_000)
    }

    private func setTimer(_ kind: Timer.Kind, of target: ScrapeTarget, tick: UInt64) -> Timer {
        timers.set(Timer(tick: tick, target: target.id, serial: target.serial, kind: kind))
    }

    /// Sets the timer for a scrape that is due at `time`, in milliseconds of the wall clock.
    private func setDue(_ target: ScrapeTarget, at time: Int64) {
        let delay = max(0, time * 1_000_000 - Int64(clamping: currentNanoseconds()))
        let tick = grid.tick(for: monotonicNanoseconds() + UInt64(delay))
        _ = setTimer(.due, of: target, tick: tick)
    }

    /// Sets a timer `delay` milliseconds from now or a little later.
    private func setTimeout(_ target: ScrapeTarget, in delay: Int64) -> Timer {
        let end = monotonicNanoseconds() + UInt64(max(0, delay)) * 1_000_000
        return setTimer(.timeout, of: target, tick: grid.tick(notBefore: end))
    }

    private func obey(_ command: Command) {
        switch command {
        case .add(let id, let request, let schedule, let responder):
            let now = currentMilliseconds()
            let target = ScrapeTarget(id, request, schedule, responder, now: now)
            targets[id] = target
            setDue(target, at: target.scheduled)
        case .remove(let id, let completion):
            if let target = targets.removeValue(forKey: id) { close(target) }
            completion()
        case .resolved(let host, let result):
            addresses.store(host, result, now: monotonicNanoseconds())
            for id in awaitingAddresses.removeValue(forKey: host) ?? [] {
                guard let target = targets[id], target.exchange?.location.host == host,
                    target.connection == nil
                else { continue }
                connect(target, result)
            }
        case .stop: isStopped = true
        }
    }

    /// `now` is the time of the tick, in milliseconds of the wall clock.
    private func fire(_ timer: Timer, now: Int64) {
        guard let target = targets[timer.target] else { return }
        switch timer.kind {
        case .timeout:
            guard timer.serial == target.serial, let exchange = target.exchange else { return }
            let text = "context deadline exceeded"
            let isInBody = exchange.parser.head != nil
            fail(target, .timeout(isInBody ? text : "Get \"\(exchange.location.url)\": \(text)"))
        case .due: beginIfFree(target, now: now)
        }
    }

    /// A target that is still being scraped is looked at again each tick; where the next time comes
    /// round meanwhile, this one is left out.
    private func beginIfFree(_ target: ScrapeTarget, now: Int64) {
        let scheduled = target.scheduled
        let isBusy = target.exchange != nil
        if !isBusy || now - scheduled >= target.schedule.interval {
            target.scheduled = target.schedule.next(after: scheduled, now: now)
        }
        setDue(target, at: isBusy ? now : target.scheduled)
        guard !isBusy else { return }
        target.serial &+= 1
        target.timeout = setTimeout(target, in: target.request.timeout)
        let start = ScrapeStart(
            scheduled: scheduled, wallClock: now, nanoseconds: monotonicNanoseconds())
        begin(target, start)
    }

    func closeConnection(_ target: ScrapeTarget) {
        guard let connection = target.connection else { return }
        events.remove(connection.socket.descriptor)
        connection.socket.close()
        target.connection = nil
    }

    private func close(_ target: ScrapeTarget) {
        closeConnection(target)
        takeBackBuffer(target)
        endExchange(target)
    }

    func endExchange(_ target: ScrapeTarget) {
        target.exchange = nil
        if let timeout = target.timeout.take() { timers.cancel(timeout) }
    }

    func takeBackBuffer(_ target: ScrapeTarget) {
        if let buffer = target.exchange?.buffer.take() { buffers.giveBack(buffer) }
    }
}
