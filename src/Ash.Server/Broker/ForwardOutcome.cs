namespace Ash.Server.Broker;

/// <summary>What is known of a call while it runs; the last state of it goes into the account.</summary>
internal sealed class ForwardOutcome
{
    /// <summary>Has seen every byte of the request that went on.</summary>
    public RequestScanner Request { get; } = new();

    public int Attempts { get; set; }

    public bool IsComplete { get; set; }

    public string? ErrorCode { get; set; }

    public TimeSpan? FirstByte { get; set; }

    public long RequestBytes { get; set; }

    public long ResponseBytes { get; set; }
}
