using System.Globalization;

namespace Ash.Benchmarks;

/// <summary>How often things are measured: as often as a figure needs, or a share of that to see that all is well.</summary>
internal sealed record Effort(double Share)
{
    /// <summary>A share for all scenarios, such as <c>0.05</c>.</summary>
    private const string Variable = "ASH_BENCH_EFFORT";

    public static Effort Of(double share) => new(
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? double.Parse(text, CultureInfo.InvariantCulture) : share);

    /// <param name="whole">How often with all effort.</param>
    /// <param name="least">Never less often.</param>
    public int Times(int whole, int least = 1) => Math.Max(Math.Min(least, whole), (int)Math.Round(whole * Share));
}
