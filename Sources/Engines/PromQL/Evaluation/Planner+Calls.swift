// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

extension Planner {
    /// A function that returns a vector.
    func call(_ call: Call, _ steps: Steps) throws(QueryError) -> any VectorOperator {
        if let function = RangeFunction(call.function) {
            return try rangeCall(call, function, steps)
        }
        let arguments = call.arguments.map(\.unwrapped)
        switch call.function {
        case .daysInMonth, .dayOfMonth, .dayOfWeek, .dayOfYear, .hour, .minute, .month, .year:
            return try date(call.function, arguments, steps)
        case .vector: return vector(of: try scalar(arguments[0], steps), steps)
        case .timestamp, .startTimestamp: return try sampleTime(call.function, arguments[0], steps)
        case .absent: return try absent(try presence(arguments[0], steps), arguments[0])
        case .labelReplace, .labelJoin: return try relabel(call.function, arguments, steps)
        case .sort, .sortDescending, .sortByLabel, .sortByLabelDescending:
            if !steps.isSingle { evaluation.annotations.add(.sortInRangeQuery(call.source)) }
            return try sort(call.function, arguments, steps)
        case .histogramQuantile, .histogramQuantiles, .histogramFraction:
            return try histogramCall(call.function, arguments, steps)
        case .info: return try InfoFunction(self, arguments, steps).evaluate()
        case .clamp, .clampMin, .clampMax, .round:
            return try bounded(call.function, arguments, steps)
        case .histogramAvg, .histogramCount, .histogramSum, .histogramStddev, .histogramStdvar:
            return try histogramValue(call.function, arguments[0], steps)
        default:
            guard let change = FloatFunctions.change(call.function) else {
                throw .execution("unknown function \(quoted(call.function.rawValue))")
            }
            return MapRows.over(try vector(arguments[0], steps), droppingNames: evaluation, change)
        }
    }

    /// A function that returns a scalar.
    func scalarCall(_ call: Call, _ steps: Steps) throws(QueryError) -> [Double] {
        let bounds = evaluation.bounds
        func constant(_ value: Double) -> [Double] {
            [Double](repeating: value, count: steps.count)
        }
        switch call.function {
        case .time: return steps.timestamps.map { Double($0) / 1000 }
        case .pi: return constant(.pi)
        case .start: return constant(Double(bounds.start) / 1000)
        case .end: return constant(Double(bounds.end) / 1000)
        case .range: return constant(Double(bounds.end &- bounds.start) / 1000)
        case .step:
            return constant(bounds.start == bounds.end ? 0 : Double(bounds.step) / 1000)
        case .minOf, .maxOf:
            let left = try scalar(call.arguments[0], steps)
            let right = try scalar(call.arguments[1], steps)
            let isMinimum = call.function == .minOf
            return zip(left, right).map { isMinimum ? goMinimum($0, $1) : goMaximum($0, $1) }
        case .scalar: return try single(try vector(call.arguments[0].unwrapped, steps))
        default: throw .execution("unknown function \(quoted(call.function.rawValue))")
        }
    }

    /// `scalar()`: the float of each step that has exactly one, else NaN.
    private func single(_ input: any VectorOperator) throws(QueryError) -> [Double] {
        var result = [Double](repeating: .nan, count: input.steps.count)
        var once = StepSet(capacity: result.count)
        var again = once
        try input.run { (_, row) throws(QueryError) in
            row.floats.forEach { step in
                if once.contains(step) {
                    again.insert(step)
                } else {
                    result[step] = row.values[step]
                    once.insert(step)
                }
            }
        }
        again.forEach { result[$0] = .nan }
        return result
    }

    func vector(of values: [Double], _ steps: Steps) -> any VectorOperator {
        var row = Row(width: steps.count)
        row.values = values
        row.floats.insertAll()
        return Block(steps: steps, rows: [RowLabels(.empty)], data: [row])
    }

    private func rangeCall(_ call: Call, _ function: RangeFunction, _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        let arguments = call.arguments.map(\.unwrapped)
        guard let matrix = arguments.firstIndex(where: { $0.type == .matrix }) else {
            throw .execution("\(call.function.rawValue) needs a range vector")
        }
        // A subquery is evaluated before the other arguments.
        let ranges = try ranges(arguments[matrix], steps)
        var parameters: [[Double]] = []
        for (index, argument) in arguments.enumerated() where index != matrix {
            parameters.append(try scalar(argument, steps))
        }
        try refuseExtension(ranges.rangeExtension, function, call.function)
        let rangeCall = RangeCall(
            function: function, range: ranges.range, rangeExtension: ranges.rangeExtension,
            steps: steps, times: ranges.times, parameters: parameters,
            source: matrix == 0 ? ranges.place : arguments[0].source)
        let result = RangeOperator(evaluation, rangeCall, ranges.source)
        if call.function == .absentOverTime { return try absent(result, arguments[matrix]) }
        return result
    }

    private func refuseExtension(
        _ rangeExtension: RangeExtension, _ range: RangeFunction, _ function: Function
    ) throws(QueryError) {
        if range.allows(rangeExtension), function != .absentOverTime || rangeExtension == .none {
            return
        }
        let (name, allowed) =
            rangeExtension == .anchored
            ? ("anchored", "changes, delta, increase, rate, resets")
            : ("smoothed", "delta, increase, rate")
        throw .execution(
            "\(name) modifier can only be used with: \(allowed) - not with \(function.rawValue)")
    }

    private func date(_ function: Function, _ arguments: [Expression], _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        guard let part = FloatFunctions.datePart(function) else {
            throw .execution("unknown function \(quoted(function.rawValue))")
        }
        guard let argument = arguments.first else {
            return vector(of: steps.timestamps.map { part(CivilTime($0)) }, steps)
        }
        return MapRows.over(try vector(argument, steps), droppingNames: evaluation) { row in
            row.removeHistograms()
            row.floats.forEach {
                row.values[$0] = part(CivilTime(seconds: goInteger(row.values[$0])))
            }
        }
    }

    private func sampleTime(_ function: Function, _ argument: Expression, _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        let usesStarts = evaluation.configuration.usesStartTimestamps
        if case .vectorSelector(let selector) = argument {
            if function == .startTimestamp, !usesStarts { return Block(steps: steps) }
            let output: InstantSelect.Output = function == .timestamp ? .time : .startTime
            let input = try select(selector, steps, output)
            return MapRows.over(input, droppingNames: evaluation) { _ in }
        }
        // The result of an operation has the time of its step, and no start time.
        let input = try vector(argument, steps)
        if function == .startTimestamp {
            try input.run { (_, _) throws(QueryError) in }
            return Block(steps: steps)
        }
        let times = steps.timestamps.map { Double($0) / 1000 }
        return MapRows.over(input, droppingNames: evaluation) { row in
            row.floats = row.present
            row.removeHistograms()
            row.values = times
        }
    }

    private func bounded(_ function: Function, _ arguments: [Expression], _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        let input = try vector(arguments[0], steps)
        func parameter(_ index: Int, or value: Double) throws(QueryError) -> [Double] {
            guard index < arguments.count else {
                return [Double](repeating: value, count: steps.count)
            }
            return try scalar(arguments[index], steps, behind: input)
        }
        let change: (inout Row) -> Void
        switch function {
        case .round: change = FloatFunctions.round(to: try parameter(1, or: 1))
        case .clampMin:
            change = FloatFunctions.clamp(
                try parameter(1, or: 0), try parameter(2, or: .infinity))
        case .clampMax:
            change = FloatFunctions.clamp(
                [Double](repeating: -.infinity, count: steps.count), try parameter(1, or: 0))
        default:
            change = FloatFunctions.clamp(try parameter(1, or: 0), try parameter(2, or: 0))
        }
        return MapRows.over(input, droppingNames: evaluation, change)
    }
}

extension MapRows {
    /// Changed rows that are no longer the metric that they were.
    static func over(
        _ input: any VectorOperator, droppingNames evaluation: Evaluation,
        _ change: @escaping (inout Row) -> Void
    ) -> any VectorOperator {
        over(input, named: input.rows.map { evaluation.droppingName($0) }, change)
    }
}
