namespace Ash.Server.Sessions;

/// <summary>What a user said to a turn that ran already.</summary>
/// <param name="Id">The CLI's <c>uuid</c> of it.</param>
/// <param name="Content">A JSON string or array of blocks, as the user sent it.</param>
internal sealed record SteeredText(Guid Id, byte[] Content)
{
    /// <summary>Whether the CLI has a result for it.</summary>
    public bool IsAnswered { get; set; }

    /// <summary>Whether the CLI is done with it, result or not.</summary>
    public bool IsSettled { get; set; }
}
