// SPDX-License-Identifier: Apache-2.0
//
// The exemplars of all series in one ring: the newest takes the place of the one that came first.
// Those of a series are linked in the order of their times, so that a query walks only them:
//
//     places    [ a0 | b0 | a1 | a2 | b1 | … ]      in the order of arrival
//     series a   oldest ─▶ a0 ⇄ a1 ⇄ a2 ◀─ newest
//
// The rules for what is taken are upstream's (tsdb/exemplar.go): an exemplar that equals the newest
// of its series is left out in silence, since the same one is scraped again and again; one that is
// older than the newest is refused unless it lies in the out-of-order window.
//
// Series are named by their labels and not by refs: exemplars outlive their series in the head.

internal import Bytes
internal import Model
internal import Storage

/// Why an exemplar is not taken.
enum ExemplarFault: Error, Hashable {
    case disabled
    case labelsTooLong
    case duplicate
    case outOfOrder
}

struct ExemplarRing: Sendable {
    /// No place, no series.
    private static let none: Int32 = -1
    /// The most characters that names and values of an exemplar have together.
    private static let longestLabels = 128

    private struct Place: Sendable {
        var exemplar: Exemplar
        /// `exemplar.timestamp`, or that of the sample.
        var timestamp: Timestamp
        /// In `series`.
        var owner: Int32
        var previous: Int32
        var next: Int32
    }

    private struct Series: Sendable {
        var labels: Labels
        var oldest: Int32
        var newest: Int32
    }

    private(set) var capacity: Int
    /// Exemplars that are this much older than the newest of their series are refused.
    var outOfOrderWindow: Milliseconds
    /// Grows up to the capacity, then round and round.
    private var places: [Place] = []
    /// The place for the next exemplar once all are used.
    private var nextPlace = 0
    private var series: [Series] = []
    private var freeSeries: [Int32] = []
    private var numbers: [Labels: Int32] = [:]

    init(capacity: Int, outOfOrderWindow: Milliseconds = 0) {
        self.capacity = max(0, capacity)
        self.outOfOrderWindow = outOfOrderWindow
    }

    var count: Int { places.count }
    var isFull: Bool { places.count == capacity }
    var seriesCount: Int { numbers.count }

    /// The time of the exemplar that came first; nil for an empty ring.
    var firstTimestamp: Timestamp? {
        guard !places.isEmpty else { return nil }
        return places[isFull ? nextPlace : 0].timestamp
    }

    // MARK: Adding

    /// Whether the exemplar may be added: nil, or why not. Empty labels were taken out of it.
    func fault(_ labels: Labels, _ exemplar: Exemplar, at timestamp: Timestamp) -> ExemplarFault? {
        if capacity == 0 { return .disabled }
        var length = 0
        exemplar.labels.forEachSpan { name, value in
            length += characterCount(name) + characterCount(value)
        }
        if length > Self.longestLabels { return .labelsTooLong }
        guard let number = numbers[labels] else { return nil }
        let newest = places[Int(series[Int(number)].newest)]
        if newest.exemplar.labels == exemplar.labels, newest.exemplar.value == exemplar.value,
            newest.timestamp == timestamp
                || (newest.exemplar.timestamp == nil && exemplar.timestamp == nil)
        {
            return .duplicate
        }
        return isTooOld(exemplar, timestamp, newest) ? .outOfOrder : nil
    }

    /// Those of one time are in the order of value, then of the hash of their labels: so repeated
    /// ones are found without looking through all.
    private func isTooOld(
        _ exemplar: Exemplar, _ timestamp: Timestamp, _ newest: Place
    ) -> Bool {
        if timestamp != newest.timestamp {
            let (bound, overflow) = newest.timestamp.subtractingReportingOverflow(outOfOrderWindow)
            return timestamp < newest.timestamp && !overflow && timestamp <= bound
        }
        let value = newest.exemplar.value
        if exemplar.value != value { return exemplar.value < value }
        return exemplar.labels.stableHash < newest.exemplar.labels.stableHash
    }

    /// Adds an exemplar of the series with these labels.
    mutating func add(
        _ labels: Labels, _ exemplar: Exemplar, at timestamp: Timestamp
    ) throws(ExemplarFault) {
        if let fault = fault(labels, exemplar, at: timestamp) { throw fault }
        if let number = numbers[labels], isTaken(timestamp, of: series[Int(number)]) {
            throw .duplicate
        }
        if isFull { unlink(nextPlace) }
        let number = numbers[labels] ?? addSeries(labels)
        let place = Place(
            exemplar: exemplar, timestamp: timestamp, owner: number, previous: Self.none,
            next: Self.none)
        let at: Int
        if isFull {
            at = nextPlace
            places[at] = place
            nextPlace = (nextPlace + 1) % capacity
        } else {
            at = places.count
            places.append(place)
        }
        link(Int32(at))
    }

    /// Whether an exemplar between others of its series has the time of one of them.
    private func isTaken(_ timestamp: Timestamp, of one: Series) -> Bool {
        guard timestamp < places[Int(one.newest)].timestamp else { return false }
        let before = lastPlace(upTo: timestamp, of: one)
        return before != Self.none && places[Int(before)].timestamp == timestamp
    }

    /// Out-of-order exemplars mostly lie close to the newest.
    private func lastPlace(upTo timestamp: Timestamp, of one: Series) -> Int32 {
        var at = one.newest
        while at != Self.none, places[Int(at)].timestamp > timestamp {
            at = places[Int(at)].previous
        }
        return at
    }

    private mutating func addSeries(_ labels: Labels) -> Int32 {
        let fresh = Series(labels: labels, oldest: Self.none, newest: Self.none)
        let number: Int32
        if let free = freeSeries.popLast() {
            number = free
            series[Int(number)] = fresh
        } else {
            number = Int32(series.count)
            series.append(fresh)
        }
        numbers[labels] = number
        return number
    }

    /// Puts a place into the list of its series.
    private mutating func link(_ at: Int32) {
        let owner = Int(places[Int(at)].owner)
        let before = lastPlace(upTo: places[Int(at)].timestamp, of: series[owner])
        let after = before == Self.none ? series[owner].oldest : places[Int(before)].next
        places[Int(at)].previous = before
        places[Int(at)].next = after
        if before == Self.none {
            series[owner].oldest = at
        } else {
            places[Int(before)].next = at
        }
        if after == Self.none {
            series[owner].newest = at
        } else {
            places[Int(after)].previous = at
        }
    }

    /// Takes a place out of the list of its series, and out of the index the series of which it was
    /// the last.
    private mutating func unlink(_ at: Int) {
        let place = places[at]
        let owner = Int(place.owner)
        if place.previous == Self.none {
            series[owner].oldest = place.next
        } else {
            places[Int(place.previous)].next = place.next
        }
        if place.next == Self.none {
            series[owner].newest = place.previous
        } else {
            places[Int(place.next)].previous = place.previous
        }
        if series[owner].oldest == Self.none {
            numbers[series[owner].labels] = nil
            series[owner].labels = .empty
            freeSeries.append(Int32(owner))
        }
    }

    // MARK: Reading

    /// Calls `body` with all exemplars in the order in which they came.
    func forEach(_ body: (Labels, Exemplar, Timestamp) -> Void) {
        for step in places.indices {
            let place = places[isFull ? (nextPlace + step) % capacity : step]
            body(series[Int(place.owner)].labels, place.exemplar, place.timestamp)
        }
    }

    /// The exemplars within a closed range of the series that fulfil one of the sets of matchers.
    func select(_ range: TimeRange, _ matcherSets: [[Matcher]]) -> [SeriesExemplars] {
        var found: [SeriesExemplars] = []
        for (labels, number) in numbers {
            let one = series[Int(number)]
            guard places[Int(one.oldest)].timestamp <= range.end,
                places[Int(one.newest)].timestamp >= range.start,
                matcherSets.contains(where: { $0.allSatisfy { $0.matches(labels) } })
            else { continue }
            var exemplars: [Exemplar] = []
            var at = one.oldest
            while at != Self.none, places[Int(at)].timestamp <= range.end {
                let place = places[Int(at)]
                if place.timestamp >= range.start {
                    var exemplar = place.exemplar
                    exemplar.timestamp = place.timestamp
                    exemplars.append(exemplar)
                }
                at = place.next
            }
            if !exemplars.isEmpty {
                found.append(SeriesExemplars(labels: labels, exemplars: exemplars))
            }
        }
        return found.sorted { $0.labels < $1.labels }
    }

    // MARK: Another size

    /// Keeps the exemplars that came last.
    mutating func resize(to wanted: Int) {
        let wanted = max(0, wanted)
        guard wanted != capacity else { return }
        var kept: [(labels: Labels, exemplar: Exemplar, timestamp: Timestamp)] = []
        forEach { kept.append(($0, $1, $2)) }
        self = ExemplarRing(capacity: wanted, outOfOrderWindow: outOfOrderWindow)
        for one in kept.suffix(wanted) {
            let number = numbers[one.labels] ?? addSeries(one.labels)
            places.append(
                Place(
                    exemplar: one.exemplar, timestamp: one.timestamp, owner: number,
                    previous: Self.none, next: Self.none))
            link(Int32(places.count - 1))
        }
    }
}

/// How many characters UTF-8 text has.
private func characterCount(_ text: RawSpan) -> Int {
    var count = 0
    for index in 0..<text.byteCount where text[index] & 0xC0 != 0x80 { count += 1 }
    return count
}
