namespace Ash.Cli.Output;

/// <summary>Colours, by what they say; the values are those of terminals.</summary>
internal enum Colour
{
    /// <summary>What a table's columns are called, and where something may be typed.</summary>
    Strong = 1,

    /// <summary>What stands back.</summary>
    Dim = 2,

    /// <summary>What failed.</summary>
    Bad = 31,

    /// <summary>What is well.</summary>
    Good = 32,

    /// <summary>What waits, or is to be noticed.</summary>
    Attention = 33,
}
