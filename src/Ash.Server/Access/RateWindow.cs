namespace Ash.Server.Access;

/// <summary>How a count stands, once something was counted or looked at.</summary>
/// <param name="Limit">So many are let through within the window.</param>
/// <param name="Remaining">So many more are.</param>
/// <param name="Reset">Until the next window begins.</param>
/// <param name="IsExceeded">Whether this one was too many.</param>
internal readonly record struct RateWindow(int Limit, int Remaining, TimeSpan Reset, bool IsExceeded);
