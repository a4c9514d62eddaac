namespace Ash.Runner.Bundles;

/// <summary>A bundle was refused, in words for whoever sent it. Nothing of it is in the workspace.</summary>
internal sealed class BundleException : Exception
{
    public BundleException()
    {
    }

    public BundleException(string message)
        : base(message)
    {
    }

    public BundleException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether it is more than a bundle may be.</summary>
    public bool IsTooLarge { get; init; }

    public static BundleException TooLarge(long bytes) =>
        new($"Bundle exceeds maximum size of {bytes} bytes") { IsTooLarge = true };

    public static BundleException Invalid(string reason) => new($"Invalid bundle: {reason}");
}
