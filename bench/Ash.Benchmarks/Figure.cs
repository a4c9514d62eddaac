namespace Ash.Benchmarks;

/// <summary>One line of the table.</summary>
/// <param name="What">What was measured, in the words of the design's table of targets.</param>
/// <param name="Unit">Of all its numbers.</param>
/// <param name="P50">Or the only number, where there is no distribution.</param>
/// <param name="N">How many times it was measured, warm-up excluded.</param>
internal sealed record Figure(string What, string Unit, double P50, double? P95, double? P99, int N)
{
    /// <summary>The same without anything of Ash, in the same run.</summary>
    public double? Floor { get; init; }

    /// <summary>What the design wants of <see cref="P50"/>.</summary>
    public double? Target { get; init; }

    public bool IsMoreBetter { get; init; }

    public bool? IsMet => Target is not { } target ? null : IsMoreBetter ? P50 >= target : P50 <= target;

    public static Figure Single(string what, string unit, double value) => new(what, unit, value, null, null, 1);

    public static Figure Of(string what, string unit, IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new Figure(what, unit, At(0.5), At(0.95), At(0.99), sorted.Length);

        double At(double share) => sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
    }
}
