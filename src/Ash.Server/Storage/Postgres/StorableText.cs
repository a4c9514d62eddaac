namespace Ash.Server.Storage.Postgres;

/// <summary>Text as Postgres can hold it: of all characters it lacks one, U+0000, which becomes U+FFFD.</summary>
/// <remarks>An agent may say it, and the end of its turn must be stored all the same. Events are bytes and keep it.</remarks>
internal static class StorableText
{
    public static string Of(string text) => text.Replace('\0', '\uFFFD');
}
