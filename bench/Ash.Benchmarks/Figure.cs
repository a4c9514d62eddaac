using System.Globalization;

namespace Ash.Benchmarks;

/// <summary>One line of the table.</summary>
/// <param name="What">What was measured, in the words of the design's table of targets.</param>
/// <param name="Unit">Of all its numbers.</param>
/// <param name="P50">Or the only number, where there is no distribution.</param>
/// <param name="N">How many times it was measured, warm-up excluded.</param>
internal sealed record Figure(string What, string Unit, double P50, double? P95, double? P99, int N)
{
    /// <summary>The same without anything of Ash, in the same run: the median.</summary>
    public double? Floor { get; init; }

    /// <summary>What <see cref="Floor"/> was measured on, where it is not plain.</summary>
    public string? FloorIs { get; init; }

    /// <summary>What the design wants of <see cref="P50"/>.</summary>
    public double? Target { get; init; }

    /// <summary>What the design wants of <see cref="P50"/>, where it says so much more than <see cref="Floor"/>.</summary>
    public double? TargetOverFloor { get; init; }

    public double? TargetP95 { get; init; }

    public double? TargetP99 { get; init; }

    public bool IsMoreBetter { get; init; }

    /// <summary>How many times the floor it is.</summary>
    public double? Ratio => Floor is > 0 and { } floor ? P50 / floor : null;

    /// <summary><c>met</c>, or <c>missed</c> and by which of its numbers; null where there is no target.</summary>
    public string? Verdict
    {
        get
        {
            var targets = Targets().ToList();
            var missed = targets.Where(target => !IsReached(target)).Select(target => target.Name).ToList();
            return targets.Count == 0 ? null : missed.Count == 0 ? "met" : targets.Count == 1 ? "missed" : $"missed ({string.Join(", ", missed)})";
        }
    }

    /// <summary>In words.</summary>
    public string TargetText
    {
        get
        {
            var sign = IsMoreBetter ? '≥' : '≤';
            return string.Join(", ", Targets().Select(target =>
                $"{(target.Name == "p50" ? "" : target.Name + " ")}{sign} {Text(target.Value)}"
                + (target.Name == "p50" && TargetOverFloor is { } more ? $" (floor + {Text(more)})" : "")));
        }
    }

    public static Figure Single(string what, string unit, double value) => new(what, unit, value, null, null, 1);

    public static Figure Of(string what, string unit, IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new Figure(what, unit, At(sorted, 0.5), At(sorted, 0.95), At(sorted, 0.99), sorted.Length);
    }

    public static double Median(IEnumerable<double> values) => At([.. values.Order()], 0.5);

    public static string Text(double? value) => value is { } number
        ? number.ToString(Math.Abs(number) switch { >= 100 => "N0", >= 10 => "0.#", >= 0.1 => "0.##", _ => "0.####" }, CultureInfo.InvariantCulture)
        : "";

    private static double At(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];

    private IEnumerable<(string Name, double Measured, double Value)> Targets()
    {
        if ((Target ?? Floor + TargetOverFloor) is { } median)
        {
            yield return ("p50", P50, median);
        }

        if (TargetP95 is { } p95)
        {
            yield return ("p95", P95!.Value, p95); // Whoever has a target for it has the distribution.
        }

        if (TargetP99 is { } p99)
        {
            yield return ("p99", P99!.Value, p99);
        }
    }

    private bool IsReached((string Name, double Measured, double Value) target) =>
        IsMoreBetter ? target.Measured >= target.Value : target.Measured <= target.Value;
}
