using System.Security.Cryptography;

namespace Ash.Runner.Sandboxes;

/// <summary>A sandbox's id names folders and cgroups, so it is checked before it becomes part of a path.</summary>
internal static class SandboxId
{
    private const int MaxLength = 32;

    /// <summary>One that was never used before, for what the runner starts itself.</summary>
    public static string Make() => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 12);

    public static bool IsValid(string id) =>
        id.Length is > 0 and <= MaxLength && id.All(static letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter));

    public static string Check(string id) =>
        IsValid(id) ? id : throw new ArgumentException("A sandbox's id is made of lower-case letters and digits.", nameof(id));
}
