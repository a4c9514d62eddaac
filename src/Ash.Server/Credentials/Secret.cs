namespace Ash.Server.Credentials;

/// <summary>A text that no log, message or debugger's list shows by chance: whoever wants it has to say so.</summary>
internal sealed class Secret(string text)
{
    public string Reveal() => text;

    public override string ToString() => "***";
}
