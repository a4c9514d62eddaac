using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>Shows a turn while it runs.</summary>
internal interface ITurnWriter
{
    void Write(AshEvent read);

    /// <summary>Leaves the cursor at the beginning of a line. May be called again.</summary>
    void Finish();
}
