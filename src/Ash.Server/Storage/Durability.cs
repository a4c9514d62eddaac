namespace Ash.Server.Storage;

/// <summary>What a commit must survive before it counts (design decision 15).</summary>
internal enum Durability
{
    /// <summary>The death of any process.</summary>
    Process,

    /// <summary>A power cut as well: an acknowledged message, a turn's end, a state change.</summary>
    Power,
}
