namespace Ash.Server.Access;

/// <summary>Says of a route that it makes something dear, and is counted apart from all other requests.</summary>
/// <param name="What">What it makes; each is counted by itself.</param>
internal sealed record CreateLimit(string What);
